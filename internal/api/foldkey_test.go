package api_test

import (
	"testing"

	"flytt/internal/api"
)

func TestFoldKey(t *testing.T) {
	for _, same := range [][]string{
		{"K-1", "k-1", " K-1 ", "K -\t1", "K-\u00a01", "K\u200b-1", "\ufeffk-1", "\uff2b-1"},
		{"å 1", "Å1", "a\u030a1", "A\u030a 1", "\u212b1"},
		{"straße", "STRASSE", "Strasse"},
		{"ﬁ²", "FI2"},
		{"", " ", "\u3000"},
	} {
		want := api.FoldKey(same[0])
		for _, key := range same[1:] {
			if got := api.FoldKey(key); got != want {
				t.Errorf("%q folds to %q, %q to %q", same[0], want, key, got)
			}
		}
	}
	for _, other := range [][2]string{{"K-1", "K1"}, {"å", "a"}, {"01", "1"}, {"K_1", "K-1"}, {"a&b", "a&amp;b"}} {
		if api.FoldKey(other[0]) == api.FoldKey(other[1]) {
			t.Errorf("%q and %q fold to the same text", other[0], other[1])
		}
	}
}

// FuzzFoldKey holds that what is folded folds to itself, and that the short way of
// plain keys is no other than the long one.
func FuzzFoldKey(f *testing.F) {
	for _, key := range []string{"K-1", "\u1e9e \u0345", "\u03a9\u0345\u0301", "\u00ad\u212b", "\xff K"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		folded := api.FoldKey(key)
		if again := api.FoldKey(folded); again != folded {
			t.Errorf("%q folds to %q, and that to %q", key, folded, again)
		}
		if api.FoldKey(key+"Å") != api.FoldKey(folded+"å") {
			t.Errorf("%q and its folded form %q do not fold to the same text with a letter behind them", key, folded)
		}
	})
}
