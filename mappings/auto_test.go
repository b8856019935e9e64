package mappings_test

import (
	"strings"
	"testing"

	"flytt/mappings"

	"github.com/google/go-cmp/cmp"
)

func TestAutoMappingSpellsOutWhatTheHeadersMean(t *testing.T) {
	for _, c := range []struct{ name, columns, want string }{
		{"names", "name,client.id,title,custom_id", `fields:
  name: name
  client.id: client.id
  title: title
  custom_id: custom_id
key: custom_id`},
		{"aliases in any spelling", "HELA NAMNET,client-id,Person nr.,lo\u0308pnr", `fields:
  name: HELA NAMNET
  client.id: client-id
  ssn: {from: Person nr., apply: [personnummer]}
  custom_id: lo` + "\u0308" + `pnr
key: custom_id`},
		{"without marks", "Namn,Fodd", `fields:
  name: Namn
  born: Fodd`},
		{"two columns for one field", "Mobil,Namn,Telefon", `fields:
  name: Namn
  phone_number: {from: [Mobil, Telefon], apply: [phone]}`},
		{"the better of two", "Titel,title,Befattning,Namn", `fields:
  name: Namn
  title: title`},
		{"two identifiers", "Namn,Kundnr,Löpnr,Personnr,Personnummer", `fields:
  name: Namn`},
		{"id spelt so", "id,Namn", `fields:
  id: id
  name: Namn`},
		{"id in capitals", "ID,Namn", `fields:
  id: ID
  name: Namn`},
		{"an id otherwise", "I-D,Namn", `fields:
  name: Namn`},
		{"an export", "id,name,phone_number,created_at,client.id", `fields:
  id: id
  name: name
  client.id: client.id
  phone_number: {from: phone_number, apply: [phone]}`},
		{"an export with columns of its own", "id,Namn,Mobil", `fields:
  id: id
  name: Namn
  phone_number: {from: Mobil, apply: [phone]}`},
		{"ids and one column", "title,id", `fields:
  id: id
  title: title`},
		{"read-only and unknown", "created_at,Namn,Färg", `fields:
  name: Namn`},
		{"a slip is no match", "Namn,Personumer", `fields:
  name: Namn`},
	} {
		t.Run(c.name, func(t *testing.T) {
			columns := strings.Split(c.columns, ",")
			m, guesses, err := mappings.AutoMapping(personResource(t), columns)
			if err != nil {
				t.Fatal(err)
			}
			if len(guesses) != len(columns) {
				t.Errorf("%d guesses for %d columns", len(guesses), len(columns))
			}
			yaml, err := m.YAML()
			if err != nil {
				t.Fatal(err)
			}
			want := "resource: person\n" + c.want + "\n"
			if got := strings.ReplaceAll(string(yaml), `"`, ""); got != want {
				t.Error(cmp.Diff(want, got))
			}
			if _, err := m.Compile(personResource(t), columns, mappings.CompileOptions{ByID: true}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestGuessesTellWhyAColumnIsNotUsed(t *testing.T) {
	columns := []string{"name", "Hela namnet", "Kundnr", "Löpnr", "created_at", "Färg", "", "Personumer"}
	_, guesses, err := mappings.AutoMapping(personResource(t), columns)
	if err != nil {
		t.Fatal(err)
	}
	want := []mappings.Guess{
		{Column: "name", Field: "name", Score: 1, Used: true, Reason: "its name"},
		{Column: "Hela namnet", Field: "name", Score: 0.9, Reason: "another column fits better"},
		{Column: "Kundnr", Field: "custom_id", Score: 0.9, Reason: "another column fits as well"},
		{Column: "Löpnr", Field: "custom_id", Score: 0.9, Reason: "another column fits as well"},
		{Column: "created_at", Field: "created_at", Score: 1, Reason: "read-only"},
		{Column: "Färg", Reason: "fits no field"},
		{Column: "", Reason: "fits no field"},
		{Column: "Personumer", Field: "ssn", Score: 0.5, Reason: "near an alias"},
	}
	if diff := cmp.Diff(want, guesses); diff != "" {
		t.Error(diff)
	}
}

func TestAutoMappingNamesRequiredFieldsWithoutAColumn(t *testing.T) {
	m, guesses, err := mappings.AutoMapping(personResource(t), []string{"Hela namet", "Färg", "Titel"})
	const want = `automatic mapping: no column fits the required field name; it may be Hela namet (near an alias)
hint: map it in a mapping file; not used so far: Hela namet, Färg`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if len(m.Fields) != 1 || len(guesses) != 3 {
		t.Errorf("the rest is lost: %+v %+v", m, guesses)
	}
}

func TestAutoMappingKnowsTheHeadersOfARegister(t *testing.T) {
	r, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	columns := []string{"Namn", "KundUUID", "Titel", "Personnr", "Kundnr", "Orgnr", "Förnamn", "E-post", "Företag", "Telefon", "Efternamn"}
	m, guesses, err := mappings.AutoMapping(r, columns)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range guesses {
		if !g.Used {
			t.Errorf("%s is not used: %s", g.Column, g.Reason)
		}
	}
	const want = `resource: externalclientcontactperson
fields:
  name: Namn
  external_client.id: KundUUID
  title: Titel
  ssn: {from: Personnr, apply: [personnummer]}
  custom_id: Kundnr
  org_no: {from: Orgnr, apply: [organisationsnummer]}
  first_name: Förnamn
  email: E-post
  corporate_name: Företag
  phone_number: {from: Telefon, apply: [phone]}
  last_name: Efternamn
key: custom_id
`
	got, err := m.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}
