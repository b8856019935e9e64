package dedup

import (
	"fmt"
	"testing"
)

func TestClaimsForgetTheOldestHalf(t *testing.T) {
	const id, key = 0, 1
	c := NewClaims(2, 10)
	text := func(i int) []byte { return fmt.Append(nil, i) }
	for i := range 20 {
		if c.Has(key, text(i)) {
			t.Fatalf("%d is taken before it is", i)
		}
		if !c.Take(key, text(i)) || !c.Take(id, text(i)) {
			t.Fatalf("%d is taken", i)
		}
		if c.Take(key, text(i)) || !c.Has(key, text(i)) {
			t.Fatalf("%d was given twice", i)
		}
		if held := len(c.new) + len(c.old); held > c.limit {
			t.Fatalf("%d are held", held)
		}
	}
	if c.Take(key, text(18)) || !c.Take(key, text(0)) {
		t.Error("the latest are forgotten, or the oldest are not")
	}
}
