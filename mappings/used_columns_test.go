package mappings

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUsedColumnsAreThoseOfFieldsAndOfTheCondition(t *testing.T) {
	r, err := Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseMapping("m.yaml", []byte(`
fields:
  name: Namn
  title: {expr: 'upper(col["Titel"])'}
  external_client.id: Kund
  phone_number: {from: [Mobil, Telefon], apply: [phone]}
  custom_id: {const: X}
where: 'col["Status"] != "Avslutad"'
`))
	if err != nil {
		t.Fatal(err)
	}
	columns := []string{"Anm", "Namn", "Titel", "Kund", "Mobil", "Ort", "Telefon", "Status"}
	plan, err := m.Compile(r, columns, CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []bool{false, true, true, true, true, false, true, true}
	if diff := cmp.Diff(want, plan.UsedColumns()); diff != "" {
		t.Errorf("columns read (-want +got):\n%s", diff)
	}
}
