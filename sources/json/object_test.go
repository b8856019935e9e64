package json

import (
	"fmt"
	"testing"

	"flytt/pipeline"
)

func TestObjectDecoderRemembersABoundedNumberOfNames(t *testing.T) {
	root := &Branch{ByName: map[string]Slot{"id": {}}, Column: pipeline.None}
	d := NewObjectDecoder(&Layout{Columns: 1, Root: root, Extra: true})
	var b pipeline.Batch
	for i := range 1000 {
		object := fmt.Appendf(nil, `{"n%d":1,"id":"%d","n%d":2}`, i, i, i+1)
		d.Open(&b, object)
		if end := d.Object(object, 0); end != len(object) {
			t.Fatalf("row %d ends at %d, want %d", i, end, len(object))
		}
		b.AddRow(int64(i))
		d.Flush(&b)
		id, extra := string(b.Input[0].Value(0)), string(b.Input[1].Value(0))
		if id != fmt.Sprint(i) || extra != fmt.Sprintf(`{"n%d":1,"n%d":2}`, i, i+1) {
			t.Fatalf("row %d: id %s, extra %s", i, id, extra)
		}
	}
	if n := len(d.root.members); n < 2 || n > maxMembers+1 {
		t.Errorf("%d names are remembered", n)
	}
}
