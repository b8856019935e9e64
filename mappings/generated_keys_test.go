package mappings

import (
	"slices"
	"strconv"
	"testing"

	"flytt/pipeline"
)

// Rows without a key get one; those with a key or an id, and those that are left
// out, do not.
func TestGenerateKeys(t *testing.T) {
	r, err := Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMapping("m.yaml", []byte("fields: {id: id, custom_id: nr}\nwhere: 'col[\"nr\"] != \"out\"'\n"))
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.WithKey(r); err != nil {
		t.Fatal(err)
	}
	p, err := m.Compile(r, []string{"id", "nr"}, CompileOptions{Partial: true})
	if err != nil {
		t.Fatal(err)
	}
	b := &pipeline.Batch{}
	b.Reset(2)
	for row, cells := range [][]string{{"", "K"}, {"", ""}, {"x", ""}, {"", "out"}} {
		b.AddRow(int64(row + 2))
		for i, cell := range cells {
			b.Input[i].Append([]byte(cell))
		}
	}
	if err := p.Step().Apply(b); err != nil {
		t.Fatal(err)
	}
	step := p.GenerateKeys(true, func(out []byte, row int64) []byte { return strconv.AppendInt(append(out, 's'), row, 10) })
	if err := step.Apply(b); err != nil {
		t.Fatal(err)
	}
	var keys, fields []string
	for i := range b.Len() {
		keys = append(keys, string(b.Keys.Value(i)))
		fields = append(fields, string(b.Fields[p.Schema().Index("custom_id")].Value(i)))
	}
	if want := []string{"K", "s3", "", ""}; !slices.Equal(keys, want) || !slices.Equal(fields, want) {
		t.Errorf("keys %q, fields %q, want %q", keys, fields, want)
	}
}

// The key is added to a mapping without it, and not laid over another.
func TestWithKey(t *testing.T) {
	r, err := Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMapping("m.yaml", []byte("fields: {name: n, title: t, external_client.id: k}\n"))
	if err != nil {
		t.Fatal(err)
	}
	keyed, err := m.WithKey(r)
	if err != nil {
		t.Fatal(err)
	}
	p, err := keyed.Compile(r, []string{"n", "t", "k"}, CompileOptions{})
	if err != nil || p.Key() != "custom_id" {
		t.Errorf("key %q (%v)", p.Key(), err)
	}
	if len(m.Fields) != 3 || m.Key != "" {
		t.Error("the mapping itself has changed")
	}
	m.Key = "name"
	if _, err := m.WithKey(r); err == nil {
		t.Error("another key is not refused")
	}
}
