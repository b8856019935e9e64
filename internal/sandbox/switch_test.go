package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"flytt/internal/sandbox"
)

func TestOrderOfABulkAnswer(t *testing.T) {
	for order, want := range map[sandbox.AnswerOrder]string{sandbox.InOrder: "A B C", sandbox.Reversed: "C B A", sandbox.Shuffled: "B A C"} {
		s := open(t, sandbox.Options{AnswerOrder: order, FaultSeed: 7})
		for range 2 {
			r := do(s, "POST", base+"list/", three)
			if got := r.names(t, "name"); r.status != 201 || got != want {
				t.Errorf("%s: %s, want %s", order, got, want)
			}
		}
		if got := do(s, "GET", base+"list/", "").names(t, "name"); got != "A B C A B C" {
			t.Errorf("%s: stored %s", order, got)
		}
		r := do(s, "POST", base+"list/", bulk("{}", person("A", ""), person("B", "")))
		if !strings.HasSuffix(r.body, "{},{}]") {
			t.Errorf("%s: the refusal is not in the order sent: %s", order, r.body)
		}
	}
}

func TestShapesOfErrors(t *testing.T) {
	const required = "This field is required."
	items := bulk(person("A", `,"custom_id":"K-1"`), `{"title":"x","external_client":"`+client+`","custom_id":"K-2"}`, `{"name":"B","external_client":"`+client+`","zip":1}`)
	for shape, want := range map[sandbox.ErrorShape][2]string{
		sandbox.AlignedErrors: {`[{},{"name":["` + required + `"]},{"zip":["Unknown field."],"title":["` + required + `"]}]`, `{"name":["` + required + `"]}`},
		sandbox.IndexedErrors: {`{"1":{"name":["` + required + `"]},"2":{"zip":["Unknown field."],"title":["` + required + `"]}}`, `{"name":["` + required + `"]}`},
		sandbox.ListedErrors: {`{"errors":[{"index":1,"field":"name","message":"` + required + `"},{"index":2,"field":"zip","message":"Unknown field."},{"index":2,"field":"title","message":"` + required + `"}]}`,
			`{"errors":[{"field":"name","message":"` + required + `"}]}`},
		sandbox.KeyedErrors: {`{"errors":[{"custom_id":"K-2","field":"name","message":"` + required + `"},{"index":2,"field":"zip","message":"Unknown field."},{"index":2,"field":"title","message":"` + required + `"}]}`,
			`{"errors":[{"field":"name","message":"` + required + `"}]}`},
		sandbox.DetailErrors: {`{"detail":"Invalid data."}`, `{"detail":"Invalid data."}`},
		sandbox.TextErrors:   {`"Invalid data.\n"`, `"Invalid data.\n"`},
		sandbox.HTMLErrors:   {`"400 Invalid data."`, `"400 Invalid data."`},
	} {
		s := open(t, sandbox.Options{Errors: shape})
		for i, r := range []reply{do(s, "POST", base+"list/", items), do(s, "POST", base, `{"title":"x","external_client":"`+client+`"}`)} {
			wantStatus(t, r, 400)
			got, contentType := r.body, "application/json"
			switch shape {
			case sandbox.TextErrors:
				got, contentType = fmt.Sprintf("%q", got), "text/plain; charset=utf-8"
			case sandbox.HTMLErrors:
				_, rest, _ := strings.Cut(got, "<h1>")
				title, _, _ := strings.Cut(rest, "</h1>")
				got, contentType = fmt.Sprintf("%q", title), "text/html; charset=utf-8"
			}
			if diff := compareJSON(want[i], got); diff != "" || r.header.Get("Content-Type") != contentType {
				t.Errorf("%s, as %s: %s", shape, r.header.Get("Content-Type"), diff)
			}
		}
		if r := do(s, "GET", base+"list/?_page=1", ""); r.status != 400 {
			t.Errorf("%s: status %d", shape, r.status)
		}
		if r := do(s, "GET", base+"nothing/", ""); r.status != 404 || !strings.Contains(r.body, "Not found.") {
			t.Errorf("%s: status %d: %s", shape, r.status, r.body)
		}
	}
}

func TestFormOfStoredIdentityNumbers(t *testing.T) {
	for form, want := range map[sandbox.IDForm]string{
		sandbox.AsSent:      "198501022399 19850102-2399 5560160680 556016-0680 <nil>",
		sandbox.WithDash:    "19850102-2399 19850102-2399 556016-0680 556016-0680 <nil>",
		sandbox.WithoutDash: "198501022399 198501022399 5560160680 5560160680 <nil>",
	} {
		s := open(t, sandbox.Options{StoredIDs: form})
		r := do(s, "POST", base+"list/", bulk(
			person("A", `,"ssn":"198501022399"`), person("B", `,"ssn":"19850102-2399"`),
			person("C", `,"org_no":"5560160680"`), person("D", `,"org_no":"556016-0680"`), person("E", "")))
		wantStatus(t, r, 201)
		var got []string
		for _, o := range r.array(t) {
			v := o["ssn"]
			if v == nil {
				v = o["org_no"]
			}
			got = append(got, fmt.Sprint(v))
		}
		if joined := strings.Join(got, " "); joined != want {
			t.Errorf("%s: %s", form, joined)
		}
		if list := do(s, "GET", base+"list/", ""); list.body != r.body {
			t.Errorf("%s: the list differs from the answer", form)
		}
		if found := do(s, "GET", base+"list/?ssn="+strings.Fields(want)[0], "").array(t); len(found) == 0 {
			t.Errorf("%s: the stored form is not found", form)
		}
	}
}

func TestShapeOfReferencesInAnswers(t *testing.T) {
	for shape, want := range map[sandbox.RelationShape]string{
		sandbox.IDObject:       `{"id":"` + client + `"}`,
		sandbox.BareID:         `"` + client + `"`,
		sandbox.ExpandedObject: `{"id":"` + client + `","name":"externalclient 497f6eca"}`,
		sandbox.EmptyObject:    `{}`,
	} {
		s := open(t, sandbox.Options{Relations: shape})
		created := do(s, "POST", base, person("A", ""))
		wantStatus(t, created, 201)
		path := base + created.object(t)["id"].(string) + "/"
		changed := do(s, "PATCH", path, `{"title":"Chef"}`)
		bulked := do(s, "POST", base+"list/", bulk(`{"id":"`+created.object(t)["id"].(string)+`","title":"Chef"}`))
		for i, r := range []reply{created, changed, do(s, "GET", path, ""), bulked, do(s, "GET", base+"list/", ""), do(s, "GET", base+"list/?_jsonl=1", "")} {
			if !strings.Contains(r.body, `"external_client":`+want+`,`) || !strings.Contains(r.body, `"organization":null`) {
				t.Errorf("%s, answer %d: %s", shape, i+1, r.body)
			}
		}
		if found := do(s, "GET", base+"list/?_slim=1&external_client="+client, "").array(t); len(found) != 1 {
			t.Errorf("%s: %d rows refer to the client", shape, len(found))
		}
	}
}

func TestFramings(t *testing.T) {
	const array, lines, envelope = "[{", "{\"id", "{\"results\":["
	for framing, want := range map[sandbox.Framing][2]string{
		sandbox.AsAsked: {array, lines}, sandbox.AlwaysArray: {array, array}, sandbox.AlwaysLines: {lines, lines}, sandbox.Envelope: {envelope, lines},
	} {
		s := open(t, sandbox.Options{Framing: framing})
		do(s, "POST", base+"list/", three)
		for i, query := range []string{"", "?_jsonl=true"} {
			r := do(s, "GET", base+"list/"+query, "")
			wantType := "application/json"
			if want[i] == lines {
				wantType = "application/jsonl"
			}
			if !strings.HasPrefix(r.body, want[i]) || r.header.Get("Content-Type") != wantType || len(unframed(t, r)) != 3 {
				t.Errorf("%s %s, as %s: %s", framing, query, r.header.Get("Content-Type"), r.body)
			}
			none := do(s, "GET", base+"list/?name=x&"+strings.TrimPrefix(query, "?"), "")
			if len(unframed(t, none)) != 0 {
				t.Errorf("%s %s of no rows: %s", framing, query, none.body)
			}
		}
	}
}

func TestPagesAndOrdersThatAreNotHeeded(t *testing.T) {
	for _, c := range []struct {
		options sandbox.Options
		want    string
	}{
		{sandbox.Options{}, "C B|A"},
		{sandbox.Options{Paging: sandbox.FirstPage}, "C B|C B"},
		{sandbox.Options{Paging: sandbox.OnePage}, "C B A|C B A"},
		{sandbox.Options{IgnoreOrder: true}, "A B|C"},
		{sandbox.Options{IgnoreOrder: true, MaxPageSize: 1}, "A|B"},
	} {
		s := open(t, c.options)
		do(s, "POST", base+"list/", three)
		var got []string
		for page := range 2 {
			got = append(got, do(s, "GET", fmt.Sprintf("%slist/?_order_by=-name&_page=%d&_page_size=2", base, page+1), "").names(t, "name"))
		}
		if joined := strings.Join(got, "|"); joined != c.want {
			t.Errorf("%s, order ignored %t: %s, want %s", c.options.Paging, c.options.IgnoreOrder, joined, c.want)
		}
		wantStatus(t, do(s, "GET", base+"list/?_order_by=nothing&_page=1&_page_size=2", ""), 400)
	}
}

// choice is a switch as a flag sees it.
type choice interface {
	fmt.Stringer
	Set(string) error
	Type() string
}

func TestSwitchesAreNamed(t *testing.T) {
	var o sandbox.Options
	for _, c := range []choice{sandbox.SwitchOf(&o.Atomicity), sandbox.SwitchOf(&o.ItemID), sandbox.SwitchOf(&o.AnswerOrder), sandbox.SwitchOf(&o.Errors), sandbox.SwitchOf(&o.StoredIDs), sandbox.SwitchOf(&o.Relations), sandbox.SwitchOf(&o.Framing), sandbox.SwitchOf(&o.PastEnd), sandbox.SwitchOf(&o.Paging)} {
		names := strings.Split(c.Type(), "|")
		if c.String() != names[0] {
			t.Errorf("%s: the first is not the default", c.Type())
		}
		for _, name := range names {
			if err := c.Set(name); err != nil || c.String() != name {
				t.Errorf("%s became %s: %v", name, c, err)
			}
		}
		if err := c.Set("nothing"); err == nil || !strings.Contains(err.Error(), names[1]) {
			t.Errorf("%s took nothing: %v", c.Type(), err)
		}
	}
	if got := sandbox.Paging(9).String(); got != "unknown(9)" {
		t.Error(got)
	}
}
