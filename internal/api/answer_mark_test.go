package api_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"flytt/internal/api"
)

const mark = "\uFEFF" // a byte order mark

// marked answers every request with status and with what answers has for its
// method, behind a byte order mark.
func marked(t *testing.T, status int, answers map[string]string) *api.Client {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, mark+answers[r.Method])
	}))
	t.Cleanup(s.Close)
	c := newClient(t, api.Config{BaseURL: s.URL})
	t.Cleanup(c.Close)
	return c
}

func TestByteOrderMarkBeforeAnAnswer(t *testing.T) {
	ctx := t.Context()
	c := marked(t, 200, map[string]string{
		"GET": `{"id":"A","custom_id":"K"}`, "POST": `[{"id":"A","custom_id":"K"}]`, "PATCH": `{"id":"A"}`,
	})
	sent := sentOf([]string{"K"}, `{"custom_id":"K"}`)
	o := c.BulkWrite(ctx, collection+"list/", []byte(`[{"custom_id":"K"}]`), nil)
	a := api.NewAnswer("custom_id", false)
	if err := a.Match(o.Body, sent); err != nil || string(a.ID(0)) != "A" {
		t.Errorf("bulk write: %v", err)
	}
	if o, err := c.Get(ctx, collection, "A", nil); err != nil || !bytes.HasPrefix(o.Body, []byte("{")) {
		t.Errorf("get: %v, %q", err, o.Body)
	}
	if o := c.Update(ctx, collection, "A", []byte(`{}`), nil); string(o.Body) != `{"id":"A"}` {
		t.Errorf("update: %q", o.Body)
	}
	found, err := c.FindByKeys(ctx, api.Lookup{Path: collection + "list/", Field: "custom_id", Keys: []string{"K"}})
	if err != nil || len(found["K"].Records) != 1 {
		t.Errorf("list: %v, %v", found, err)
	}
}

func TestByteOrderMarkBeforeARefusal(t *testing.T) {
	c := marked(t, 400, map[string]string{"POST": `[{},{"name":["Required."]}]`})
	o := c.BulkWrite(t.Context(), collection+"list/", []byte(`[{},{}]`), nil)
	got, _ := api.ParseRefusals(o.Body, sentOf(nil, `{}`, `{}`), api.UnknownBase)
	if len(got) != 1 || got[0].Item != 1 || got[0].Field != "name" {
		t.Errorf("%+v", got)
	}
}
