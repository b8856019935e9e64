package bulk

import "testing"

func TestKeyFormsTrustOnlyWhatCameBackUnchanged(t *testing.T) {
	tests := []struct {
		name          string
		kept, changed []string
		after         []string // kept as well
		trusted       []string
		not           []string
	}{
		{name: "nothing seen", not: []string{"K-1", "1"}},
		{name: "letters, dash and digits", kept: []string{"K-100"}, trusted: []string{"A-2", "K-901"}, not: []string{"k-1", "K/1", "K 1", "K-0100", "12"}},
		{name: "length", kept: []string{"K-100"}, trusted: []string{"K-999"}, not: []string{"K-1000"}},
		{name: "leading zero", kept: []string{"1200"}, trusted: []string{"7000"}, not: []string{"0120"}},
		{name: "zero within", kept: []string{"K-1001"}, trusted: []string{"K-2000"}, not: []string{"K-0001"}},
		{name: "white space", kept: []string{"A B C"}, trusted: []string{"A B"}, not: []string{"A  B", "A\u00a0B"}},
		{name: "Unicode forms", kept: []string{"\u00c5bo 12", "A\u030a"}, trusted: []string{"\u00c5b 1", "A\u030ab"}, not: []string{"\u212bb", "\ufb01"}},
		{name: "a letter that is composed says nothing of one that is not", kept: []string{"\u00c5bo"}, not: []string{"A\u030abo"}},
		{name: "characters one by one", kept: []string{"A&B"}, trusted: []string{"C&D"}, not: []string{"C<D", "å"}},
		{name: "several keys together", kept: []string{"AB-1", "ab", "x/y z"}, trusted: []string{"aB/-1", "A b"}, not: []string{"a_b"}},
		{name: "a form not trusted that changed", kept: []string{"AB1"}, changed: []string{"A  B"}, trusted: []string{"B"}, not: []string{"A  B"}},
		{name: "a form that changed before others were kept", kept: []string{"1"}, changed: []string{"B1"}, after: []string{"AB1"}, not: []string{"AB1", "1"}},
		{name: "a trusted form that changed", kept: []string{"AB1"}, changed: []string{"B1"}, not: []string{"AB1", "A"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var f keyForms
			for _, key := range test.kept {
				f.kept([]byte(key))
			}
			for _, key := range test.changed {
				f.changed([]byte(key))
			}
			for _, key := range test.after {
				f.kept([]byte(key))
			}
			for _, key := range test.trusted {
				if !f.trusts([]byte(key)) {
					t.Errorf("%q is not trusted", key)
				}
			}
			for _, key := range test.not {
				if f.trusts([]byte(key)) {
					t.Errorf("%q is trusted", key)
				}
			}
		})
	}
}

// A key that a record has tells what to expect, and is no proof.
func TestKeyFormsOfRecords(t *testing.T) {
	var f keyForms
	f.met([]byte("K-100"))
	if key := []byte("K-2"); !f.expects(key) || f.trusts(key) {
		t.Error("a record with a key of the form: want it expected, and not trusted")
	}
	if f.changed([]byte("K-3")); f.expects([]byte("K-2")) {
		t.Error("a key of the form was changed, and the form is still expected")
	}
}

func TestKeyFormsTellFromWhichLengthKeysAreCut(t *testing.T) {
	var f keyForms
	f.kept([]byte("ABC-12"))
	tests := []struct {
		key         string
		keeps, told bool
	}{
		{"ABC-12", true, true},
		{"ABC-12-34567", true, true}, // short
		{"ABC-12-345678", false, false},
		{"abc-12", false, false}, // another form
	}
	for _, test := range tests {
		if key := []byte(test.key); f.keeps(key) != test.keeps || f.isKnown(key) != test.told {
			t.Errorf("%s: keeps %t, told %t", test.key, f.keeps(key), f.isKnown(key))
		}
	}
	f.changed([]byte("ABC-12-345678-9012"))
	f.changed([]byte("ABC-12-345678-90"))
	f.changed([]byte("ABC-12-345678-901"))
	for key, told := range map[string]bool{"ABC-12-345678": false, "ABC-12-345678-90": true, "ABC-12-345678-9012": true} {
		if f.keeps([]byte(key)) || f.isKnown([]byte(key)) != told {
			t.Errorf("%s: keeps %t, told %t", key, f.keeps([]byte(key)), f.isKnown([]byte(key)))
		}
	}
	if start := f.start([]byte("ÅBC-12-3")); string(start) != "ÅBC-12" {
		t.Errorf("%s", start)
	}
}

func BenchmarkKeyFormsKept(b *testing.B) {
	var f keyForms
	key := []byte("S-00123")
	for b.Loop() {
		f.kept(key)
	}
}
