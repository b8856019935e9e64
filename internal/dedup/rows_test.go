package dedup_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/dedup"
	"flytt/pipeline"
)

var kinds = []string{"key", "email"}

func TestParsePolicies(t *testing.T) {
	unset := dedup.Policies{dedup.Reject, dedup.Allow}
	for text, want := range map[string]dedup.Policies{
		"":                       unset,
		"first":                  {dedup.First, dedup.First},
		"email=last":             {dedup.Reject, dedup.Last},
		"key=allow, email=first": {dedup.Allow, dedup.First},
	} {
		got, err := dedup.ParsePolicies(text, kinds, unset)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	for _, text := range []string{"none", "key=none", "first,last", "phone=first", "key=first,"} {
		if p, err := dedup.ParsePolicies(text, kinds, unset); err == nil {
			t.Errorf("%q is %v", text, p)
		}
	}
	if unset[0] != dedup.Reject || unset[1] != dedup.Allow {
		t.Errorf("the defaults are changed: %v", unset)
	}
}

// reader reads the fields of rows as they are.
type reader struct{}

func (reader) Read(b *pipeline.Batch, i int, yield func(kind uint8, text []byte)) {
	for kind := range b.Fields {
		if v := b.Fields[kind].Value(i); len(v) > 0 {
			yield(uint8(kind), v)
		}
	}
}

func (reader) Field(_ *pipeline.Batch, _ int, kind uint8) int { return int(kind) }

// batch makes a batch of rows from 2 on with a key and an email; the one whose key is
// "broken" is broken, and the one whose key is "bad" rejected.
func batch(rows ...[2]string) *pipeline.Batch {
	b := &pipeline.Batch{Fields: make([]pipeline.Column, 2)}
	for i, row := range rows {
		b.Rows = append(b.Rows, int64(i+2))
		fate := pipeline.Pending
		switch row[0] {
		case "broken":
			fate = pipeline.Broken
		case "bad":
			fate = pipeline.Rejected
		}
		b.Fates = append(b.Fates, fate)
		for kind, v := range row {
			b.Fields[kind].Append([]byte(v))
		}
	}
	return b
}

// noted returns the problems of the rows of b by row, after a search through all of them.
func noted(t *testing.T, policies dedup.Policies, rows ...[2]string) map[int64]string {
	t.Helper()
	search := dedup.NewSearch(t.TempDir())
	if err := search.Step(reader{}, policies.PickOne()).Apply(batch(rows...)); err != nil {
		t.Fatal(err)
	}
	table, err := search.Table()
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	if err := search.Close(); err != nil {
		t.Fatal(err)
	}
	b := batch(rows...)
	if err := table.Step(reader{}, policies, []int16{5, 6}).Apply(b); err != nil {
		t.Fatal(err)
	}
	got := map[int64]string{}
	for _, p := range b.Problems {
		row := b.Rows[p.Row]
		if p.Code != dedup.CodeDuplicate || p.Column != p.Field+5 {
			t.Errorf("row %d: %+v", row, p)
		}
		got[row] += kinds[p.Field] + " " + p.Severity.String() + " " + p.Shape + ";"
	}
	return got
}

func TestPoliciesDecideWhichRowsGoThrough(t *testing.T) {
	rows := [][2]string{{"a", ""}, {"b", "x"}, {"a", "x"}, {"broken", "x"}, {"bad", "x"}, {"a", ""}}
	reject, first, last, allow := dedup.Reject, dedup.First, dedup.Last, dedup.Allow
	e, w := pipeline.Error.String(), pipeline.Warning.String()
	for name, test := range map[string]struct {
		policies dedup.Policies
		want     map[int64]string
	}{
		"reject all": {dedup.Policies{reject, reject}, map[int64]string{
			2: "key " + e + " as rows 4 and 7;", 4: "key " + e + " as rows 2 and 7;email " + e + " as rows 3 and 6;", 7: "key " + e + " as rows 2 and 4;",
			3: "email " + e + " as rows 4 and 6;", 6: "email " + e + " as rows 3 and 4;",
		}},
		"the first": {dedup.Policies{first, allow}, map[int64]string{
			4: "key " + e + " as rows 2 and 7;email " + w + " ;", 7: "key " + e + " as rows 2 and 4;", 3: "email " + w + " ;",
		}},
		"the last": {dedup.Policies{last, last}, map[int64]string{
			2: "key " + e + " as rows 4 and 7;", 4: "key " + e + " as rows 2 and 7;", 3: "email " + e + " as row 4;",
		}},
	} {
		if diff := cmp.Diff(test.want, noted(t, test.policies, rows...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestManyRowsAreNotAllNamed(t *testing.T) {
	rows := make([][2]string, 3000)
	for i := range rows {
		rows[i][0] = "a"
	}
	got := noted(t, dedup.Policies{dedup.Reject, dedup.Allow}, rows...)
	want := "key " + pipeline.Error.String() + " as rows 2, 3, 4, 5, 6 and 2,994 more;"
	if len(got) != len(rows) || got[3001] != want {
		t.Errorf("%d rows, the last %q, want %q", len(got), got[3001], want)
	}
}

func TestHas(t *testing.T) {
	search := dedup.NewSearch(t.TempDir())
	if err := search.Step(reader{}, false).Apply(batch([2]string{"a", "x"}, [2]string{"a", "y"}, [2]string{"b", "y"})); err != nil {
		t.Fatal(err)
	}
	table, err := search.Table()
	if err != nil {
		t.Fatal(err)
	}
	for row, want := range map[int64][2]bool{2: {true, false}, 3: {true, true}, 4: {false, true}, 5: {}} {
		for kind := range want {
			if got, err := table.Has(row, uint8(kind)); err != nil || got != want[kind] {
				t.Errorf("row %d is like another in %s: %t, want %t (%v)", row, kinds[kind], got, want[kind], err)
			}
		}
	}
	if err := table.Close(); err != nil {
		t.Error(err)
	}
}
