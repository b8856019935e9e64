package mappings_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"flytt/mappings"
	"flytt/pipeline"

	"github.com/google/go-cmp/cmp"
)

const contactPerson = "externalclientcontactperson"

func lookup(t testing.TB, name string) *mappings.Resource {
	t.Helper()
	r, err := mappings.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lease returns the resource that has every rule.
func lease(t testing.TB) *mappings.Resource {
	t.Helper()
	data, err := os.ReadFile("testdata/lease.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := mappings.ParseResource("lease.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryEmbeddedDescriptorParses(t *testing.T) {
	for _, name := range mappings.Resources() {
		r := lookup(t, name)
		if r.Name != name {
			t.Errorf("%s.yaml describes %s", name, r.Name)
		}
		if want := "/" + r.Application + "/" + name + "/"; r.Path != want {
			t.Errorf("%s: path %s, want %s", name, r.Path, want)
		}
		for i := range r.Fields {
			f := &r.Fields[i]
			for _, conversion := range f.Apply {
				if !slices.Contains(mappings.ConversionNames(), conversion) {
					t.Errorf("%s %s: conversion %s is not known", name, f.Name, conversion)
				}
			}
			if !f.ReadOnly && (len(f.Aliases["sv"]) == 0 || len(f.Aliases["en"]) == 0) {
				t.Errorf("%s %s: no alias in Swedish or English", name, f.Name)
			}
		}
	}
}

// The table is the field table of the vendor's reference page.
func TestContactPersonIsAsTheReferenceSays(t *testing.T) {
	type row struct {
		Name, Type, To               string
		Required, Nullable, ReadOnly bool
		Min, Max                     int
		Format, Pattern, Filters     string
	}
	want := []row{
		{"id", "uuid", "", false, false, true, 0, 0, "", "", "reference"},
		{"name", "string", "", true, false, false, 0, 255, "", "", "text"},
		{"external_client", "reference", "externalclient", true, false, false, 0, 0, "", "", "reference"},
		{"title", "string", "", true, false, false, 0, 255, "", "", "text"},
		{"ssn", "string", "", false, true, false, 12, 13, "personnummer", "", "text"},
		{"created_at", "date-time", "", false, false, true, 0, 0, "", "", "time"},
		{"tags", "any", "", false, false, true, 0, 0, "", "", ""},
		{"custom_id", "string", "", false, true, false, 0, 128, "", "", "text"},
		{"customer_columns", "any", "", false, false, true, 0, 0, "", "", ""},
		{"org_no", "string", "", false, true, false, 10, 11, "organisationsnummer", "", "text"},
		{"first_name", "string", "", false, true, false, 0, 255, "", "", "text"},
		{"email", "string", "", false, true, false, 0, 254, "email", "", "text"},
		{"organization", "reference", "organization", false, true, false, 0, 0, "", "", "reference"},
		{"corporate_name", "string", "", false, true, false, 0, 255, "", "", "text"},
		{"phone_number", "string", "", false, true, false, 0, 36, "", `^\+?1?\d{7,15}$`, "text"},
		{"last_name", "string", "", false, true, false, 0, 255, "", "", "text"},
	}
	var got []row
	for _, f := range lookup(t, contactPerson).Fields {
		got = append(got, row{f.Name, f.Type, f.To, f.Required, f.Nullable, f.ReadOnly, f.MinLength, f.MaxLength, f.Format, f.Pattern, f.Filters})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPersonalDataIsPrivate(t *testing.T) {
	var got []string
	for _, f := range lookup(t, contactPerson).Fields {
		if f.Private {
			got = append(got, f.Name)
		}
	}
	if diff := cmp.Diff([]string{"ssn", "org_no", "email", "phone_number"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFiltersHaveTheOperatorsOfTheReference(t *testing.T) {
	r := lookup(t, contactPerson)
	for field, want := range map[string]string{
		"ssn":             "contains endswith icontains iendswith iexact in isnull istartswith startswith",
		"created_at":      "gt gte in isnull lt lte",
		"external_client": "in isnull",
		"id":              "in isnull",
		"tags":            "",
	} {
		if got := strings.Join(r.Field(field).Operators(), " "); got != want {
			t.Errorf("%s: %s, want %s", field, got, want)
		}
	}
}

func TestLookupNamesTheNearestResource(t *testing.T) {
	_, err := mappings.Lookup("externalclientcontactpersno")
	const want = "resource externalclientcontactpersno is not known\nhint: did you mean externalclientcontactperson?"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestLookupParsesOnce(t *testing.T) {
	if first, second := lookup(t, contactPerson), lookup(t, contactPerson); first != second {
		t.Error("two resources of one name")
	}
}

func TestAFieldIsKnownByItsNameAndItsColumn(t *testing.T) {
	r := lookup(t, contactPerson)
	if f := r.Field("external_client"); f == nil || f != r.Field("external_client.id") || f.Column() != "external_client.id" {
		t.Errorf("got %+v", f)
	}
	if f := r.Field("name.id"); f != nil {
		t.Errorf("name.id is %s", f.Name)
	}
}

func TestSchemaHasTheColumnsAskedFor(t *testing.T) {
	got, err := lease(t).Schema([]string{"number", "signed_by", "starts", "signed_at", "notice", "rent", "heated", "tenants", "extra", "id"})
	if err != nil {
		t.Fatal(err)
	}
	want := &pipeline.Schema{Fields: []pipeline.Field{
		{Name: "number", Type: pipeline.Text}, {Name: "signed_by.id", Type: pipeline.UUID}, {Name: "starts", Type: pipeline.Date},
		{Name: "signed_at", Type: pipeline.DateTime}, {Name: "notice", Type: pipeline.Integer}, {Name: "rent", Type: pipeline.Number},
		{Name: "heated", Type: pipeline.Boolean}, {Name: "tenants", Type: pipeline.JSON}, {Name: "extra", Type: pipeline.JSON},
		{Name: "id", Type: pipeline.UUID},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSchemaRefusesUnknownAndRepeatedFields(t *testing.T) {
	for columns, want := range map[string]string{
		"number,nunber":          "resource lease has no field nunber\nhint: did you mean number?",
		"signed_by,signed_by.id": "field signed_by.id appears twice",
	} {
		if _, err := lease(t).Schema(strings.Split(columns, ",")); err == nil || err.Error() != want {
			t.Errorf("%s: got %v", columns, err)
		}
	}
}

// A descriptor is parsed when it is first asked for, so this is what verbs that
// need one wait for.
func BenchmarkParseResource(b *testing.B) {
	data, err := os.ReadFile("resources/externalclientcontactperson.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := mappings.ParseResource("r.yaml", data); err != nil {
			b.Fatal(err)
		}
	}
}
