package record_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/record"
	"flytt/mappings"
	"flytt/pipeline"
)

func contacts(t *testing.T) *mappings.Resource {
	t.Helper()
	r, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// draft returns a record of an object, if there is one, and of assignments.
func draft(t *testing.T, object string, assignments ...string) *record.Draft {
	t.Helper()
	d := record.NewDraft(contacts(t))
	if object != "" {
		if err := d.Read("file", strings.NewReader(object)); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range assignments {
		if err := d.Assign(text); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func TestDraftsAreSentInTheOrderOfTheDescriptor(t *testing.T) {
	const client = "6f9a3c1e-0000-4000-8000-000000000001"
	for name, test := range map[string]struct {
		object      string
		assignments []string
		want        string
	}{
		"assigned":          {"", []string{"title=VD", "name=Bo"}, `{"name":"Bo","title":"VD"}`},
		"over the object":   {`{"name":"Bo","title":"VD"}`, []string{"title=Chef"}, `{"name":"Bo","title":"Chef"}`},
		"null":              {"", []string{"email="}, `{"email":null}`},
		"JSON":              {"", []string{`name:="a=b"`}, `{"name":"a=b"}`},
		"a reference":       {"", []string{"external_client=" + client}, `{"external_client":{"id":"` + client + `"}}`},
		"expanded":          {`{"external_client":{"id":"` + client + `","name":"x"}}`, nil, `{"external_client":{"id":"` + client + `"}}`},
		"a number for text": {`{"custom_id":17}`, nil, `{"custom_id":"17"}`},
	} {
		d := draft(t, test.object, test.assignments...)
		if got := string(d.JSON()); got != test.want || len(d.Faults()) > 0 {
			t.Errorf("%s: %s, want %s; faults %v", name, got, test.want, d.Faults())
		}
	}
}

func TestWhatOnlyTheAPIWritesIsLeftOut(t *testing.T) {
	d := draft(t, `{"id":"17","name":"Bo","created_at":"2026-11-01T00:00:00Z"}`)
	if d.ID() != "17" || string(d.JSON()) != `{"name":"Bo"}` {
		t.Errorf("id %q, %s", d.ID(), d.JSON())
	}
	if diff := cmp.Diff([]string{"created_at"}, d.LeftOut()); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
}

func TestAllFaultsAreGathered(t *testing.T) {
	d := draft(t, `{"titel":"VD","name":["Bo"]}`, "created_at=2026-11-01", "email=bo")
	if err := d.Validate(true, time.Now()); err != nil {
		t.Fatal(err)
	}
	got := map[string]pipeline.Code{}
	for _, f := range d.Faults() {
		got[f.Field] = f.Code
		if f.Field == "titel" && f.Fix != "Did you mean title?" {
			t.Errorf("fix %q", f.Fix)
		}
	}
	want := map[string]pipeline.Code{"titel": "no_such_field", "name": "wrong_type", "created_at": "read_only", "email": "email"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if d := record.NewDraft(contacts(t)); !d.Empty() || draft(t, "", "titel=x").Empty() {
		t.Error("Empty")
	}
}

func TestErrorsShowNoValue(t *testing.T) {
	for _, object := range []string{`{"name":"19850102-2399"`, `{"name":"19850102-2399","name":"x"}`, `"19850102-2399"`, `{"name":"19850102-2399"} 2`, `{"name":19850102-2399}`} {
		err := record.NewDraft(contacts(t)).Read("file", strings.NewReader(object))
		if err == nil || strings.Contains(err.Error(), "1985") || !strings.HasPrefix(err.Error(), "file: ") {
			t.Errorf("%s: %v", object, err)
		}
	}
	for _, text := range []string{"19850102-2399", "=19850102-2399", "name:={19850102-2399"} {
		if err := record.NewDraft(contacts(t)).Assign(text); err == nil || strings.Contains(err.Error(), "1985") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestRefusalsShowNoValues(t *testing.T) {
	d := record.NewDraft(nil)
	for message, want := range map[string]string{
		"19850102-2399 is taken":              "… is taken",
		"write to anna@example.com, or call":  "write to … or call",
		"call +46 70 123 45 67":               "call …",
		"at most 255 characters":              "at most 255 characters",
		"This field may not be blank.":        "This field may not be blank.",
		"Enter a value of 12 to 13 digits.":   "Enter a value of 12 to 13 digits.",
		"object with id 556036-0793 is taken": "object with id … is taken",
		"\x1b[2Jcleared\nand broken":          "[2Jcleared and broken",
	} {
		if got := d.Mask(message); got != want {
			t.Errorf("Mask(%q) = %q, want %q", message, got, want)
		}
	}
}
