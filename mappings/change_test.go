package mappings_test

import (
	"fmt"
	"strings"
	"testing"

	"flytt/mappings"
	"flytt/pipeline"

	"github.com/google/go-cmp/cmp"
)

const someID = "497f6eca-6276-4993-bfeb-53cbbbba6f08"

// noted lists the problems of b with their rows: 0 number required (shape).
func noted(b *pipeline.Batch, s *pipeline.Schema) string {
	var list []string
	for _, p := range b.Problems {
		field := "(row)"
		if p.Field >= 0 {
			field = s.Fields[p.Field].Name
		}
		text := fmt.Sprintf("%d %s %s", p.Row, field, p.Code)
		if p.Shape != "" {
			text += " (" + p.Shape + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

func TestRowsThatChangeRecordsMayLackWhatTheyLeave(t *testing.T) {
	number := record{"number": "L-1"}
	for _, c := range []struct {
		name    string
		columns string // of the schema
		options mappings.ValidateOptions
		rows    []record
		want    string
	}{
		{"with an id", "id,number,starts,email", mappings.ValidateOptions{ByID: true},
			[]record{{"id": someID}, number, goodLease}, "1 starts required; 1 email any_of (one of phone, email)"},
		{"required fields that are not mapped", "id,note,email", mappings.ValidateOptions{ByID: true},
			[]record{{"id": someID, "note": "four"}, {"note": "four", "email": "a@example.se"}},
			"1 (row) required (number); 1 (row) required (starts)"},
		{"rules between fields that are not mapped", "id,number,starts,signed_at", mappings.ValidateOptions{ByID: true},
			[]record{{"id": someID, "signed_at": "2026-01-01T12:00:00Z"}, {"number": "L-1", "starts": "2026-01-31", "signed_at": "2026-01-01T12:00:00Z"}},
			"1 signed_at together (without signed_by.id); 1 (row) any_of (one of phone, email)"},
		{"values are held to the rules all the same", "id,number,starts,person,company,email", mappings.ValidateOptions{ByID: true},
			[]record{{"id": someID, "number": "17", "person": "198501022399", "company": "5560160680"}},
			"0 number pattern (2 digits); 0 person excludes (along with company)"},
		{"a malformed id", "id,number,starts,email", mappings.ValidateOptions{ByID: true},
			[]record{{"id": "17"}}, "0 id uuid (2 characters)"},
		{"required fields cannot be cleared", "id,number,starts,email,floor", mappings.ValidateOptions{ByID: true, Clear: true},
			[]record{{"id": someID, "number": "L-1"}, goodLease}, "0 starts required"},
		{"nor where every row changes a record", "number,starts,floor", mappings.ValidateOptions{Partial: true, Clear: true},
			[]record{number}, "0 starts required"},
		{"every row changes a record", "number,floor", mappings.ValidateOptions{Partial: true, ByID: true},
			[]record{number, {"floor": "1"}}, ""},
		{"every row makes one", "id,number,starts,email", mappings.ValidateOptions{New: true},
			[]record{goodLease, goodLease.with(record{"id": someID})}, "1 id has_id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := lease(t)
			s := schemaOf(t, r, strings.Split(c.columns, ",")...)
			b := batchOf(s, c.rows...)
			if err := validator(t, r, s, c.options).Step().Apply(b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, noted(b, s)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAMappingWithTheIDNeedsNoOtherField(t *testing.T) {
	for _, c := range []struct {
		yaml    string
		options mappings.CompileOptions
		want    string
	}{
		{"fields: {id: A, title: B}", mappings.CompileOptions{ByID: true}, ""},
		{"fields: {id: A, title: B}", mappings.CompileOptions{}, "required field name is not mapped"},
		{"fields: {title: B}", mappings.CompileOptions{ByID: true}, "required field name is not mapped"},
		{"fields: {title: B}", mappings.CompileOptions{Partial: true}, ""},
	} {
		m, err := mappings.ParseMapping("m.yaml", []byte("resource: person\n"+c.yaml))
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Compile(personResource(t), []string{"A", "B"}, c.options)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %+v: %v", c.yaml, c.options, err)
		}
	}
}

func TestPartialMappingMissesNothing(t *testing.T) {
	m, guesses, err := mappings.PartialMapping(personResource(t), []string{"custom_id", "Titel"})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Fields) != 2 || len(guesses) != 2 || m.Key != "custom_id" {
		t.Errorf("%+v", m)
	}
}
