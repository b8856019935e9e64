package mappings

import (
	"slices"
	"testing"

	"flytt/pipeline"
)

// Values that mean the same have the same text, and what is no number has none.
func TestMatchFieldsInAnyForm(t *testing.T) {
	for _, alike := range []struct {
		trait  MatchField
		values []string
		want   string
	}{
		{MatchSSN, []string{"198501022399", "19850102-2399"}, "198501022399"},
		{MatchSSN, []string{"8501022399", "19850102", "x"}, ""},
		{MatchOrgNo, []string{"5560160680", "556016-0680", "165560160680", "16556016-0680"}, "5560160680"},
		{MatchOrgNo, []string{"556016"}, ""},
		{MatchEmail, []string{"a@example.se", "A@Example.SE"}, "a@example.se"},
		{MatchKey, []string{"A-1"}, "A-1"},
		{MatchKey, []string{"a-1"}, "a-1"},
	} {
		for _, v := range alike.values {
			if got := string(appendComparable(nil, alike.trait, []byte(v))); got != alike.want {
				t.Errorf("%s: a value is compared as %q, want %q", alike.trait, got, alike.want)
			}
		}
	}
}

// A row that has an id is told by that alone, where ids count.
func TestMatchFieldsOfRowsWithAnID(t *testing.T) {
	r, err := Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMapping("m.yaml", []byte("fields: {id: id, custom_id: nr, email: mail, ssn: pnr, name: name}\n"))
	if err != nil {
		t.Fatal(err)
	}
	only := m.MatchFieldsOnly(r)
	if got := len(only.Fields); got != 4 {
		t.Fatalf("%d fields tell rows apart, want 4", got)
	}
	p, err := only.Compile(r, []string{"id", "nr", "mail", "pnr", "name"}, CompileOptions{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	b := &pipeline.Batch{}
	b.Reset(5)
	for row, cells := range [][]string{{"", "A", "m@x.se", "", ""}, {"ID-1", "A", "m@x.se", "", ""}, {"", "", "", "198501022399", ""}} {
		b.AddRow(int64(row + 2))
		for i, cell := range cells {
			b.Input[i].Append([]byte(cell))
		}
	}
	if err := p.Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	for byID, want := range map[bool][]string{
		false: {"key A", "email m@x.se", "key A", "email m@x.se", "ssn 198501022399"},
		true:  {"key A", "email m@x.se", "key id id-1", "ssn 198501022399"},
	} {
		var got []string
		reader := p.MatchReader(r, byID)
		for i := range b.Len() {
			reader.Read(b, i, func(trait uint8, text []byte) { got = append(got, MatchField(trait).String()+" "+string(text)) })
		}
		if !slices.Equal(got, want) {
			t.Errorf("by id %v: %q, want %q", byID, got, want)
		}
	}
}

// A mapping without any of those fields has nothing to compare.
func TestNoIdentity(t *testing.T) {
	r, err := Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMapping("m.yaml", []byte("fields: {name: name}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if m.MatchFieldsOnly(r) != nil {
		t.Error("there is something")
	}
}
