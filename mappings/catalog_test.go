package mappings_test

import (
	"strings"
	"testing"

	"flytt/mappings"
)

// TestCatalogTakesWhatTheReferenceLists walks every field and operator of the
// reference.
func TestCatalogTakesWhatTheReferenceLists(t *testing.T) {
	r, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	const text = "contains endswith icontains iendswith iexact in isnull istartswith startswith"
	operators := map[string]string{"created_at": "gt gte in isnull lt lte", "id": "in isnull", "external_client": "in isnull", "organization": "in isnull"}
	for field := range strings.SplitSeq("corporate_name custom_id email first_name last_name name org_no phone_number ssn title", " ") {
		operators[field] = text
	}
	for field, list := range operators {
		for operator := range strings.SplitSeq(list+" ", " ") {
			if err := r.CheckFilter(field, operator); err != nil {
				t.Error(err)
			}
		}
		if err := r.CheckOrder(field); err != nil {
			t.Error(err)
		}
	}
	for name := range strings.SplitSeq("_jsonl _order_by _page _page_size _search _slim _statistics customer_columns global_realestates global_segments tags", " ") {
		if err := r.CheckParameter(name); err != nil {
			t.Error(err)
		}
	}
}

func TestCatalogNamesTheNearest(t *testing.T) {
	r, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	for err, want := range map[error]string{
		r.CheckFilter("nmae", ""):                 "resource externalclientcontactperson has no field nmae\nhint: did you mean name?",
		r.CheckFilter("external_client.id", "in"): "resource externalclientcontactperson has no field external_client.id\nhint: did you mean external_client?",
		r.CheckFilter("tags", ""):                 "field tags has no filter",
		r.CheckFilter("name", "icontain"):         "field name has no operator icontain\nhint: did you mean icontains?",
		r.CheckFilter("name", "exact"):            "field name has no operator exact\nhint: leave the operator out",
		r.CheckFilter("id", "icontains"):          "field id has no operator icontains\nhint: use in or isnull",
		r.CheckFilter("created_at", "gtt"):        "field created_at has no operator gtt\nhint: did you mean gt?",
		r.CheckOrder("createdat"):                 "resource externalclientcontactperson has no field createdat\nhint: did you mean created_at?",
		r.CheckOrder("tags"):                      "field tags has no order",
		r.CheckParameter("_pages"):                "the list of externalclientcontactperson has no parameter _pages\nhint: did you mean _page?",
	} {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
