package bulk

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"flytt/internal/api"
)

// inBubble runs a subtest with a clock of its own.
func inBubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// reply makes an answer.
func reply(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body))}
}

// TestUpdateKnowsWhatBecameOfAChange meets every way a PATCH can end. Whatever
// happens, nothing that may have been carried out is sent again.
func TestUpdateKnowsWhatBecameOfAChange(t *testing.T) {
	type serve func() *http.Response
	for _, test := range []struct {
		name    string
		answer  func(n int, serve serve) (*http.Response, error)
		want    string
		patches int
	}{
		{"reset once it is done", func(_ int, serve serve) (*http.Response, error) {
			serve()
			return nil, errReset
		}, "updated", 1},
		{"reset before it is done", func(int, serve) (*http.Response, error) { return nil, errReset }, "in_doubt", 1},
		{"500 once it is done", func(_ int, serve serve) (*http.Response, error) {
			serve()
			return reply(500, "<h1>"), nil
		}, "updated", 1},
		{"502 before it is done", func(int, serve) (*http.Response, error) { return reply(502, ""), nil }, "in_doubt", 1},
		{"a page in place of the record", func(_ int, serve serve) (*http.Response, error) {
			serve()
			return reply(200, "<html>ok</html>"), nil
		}, "updated", 1},
		{"no content", func(_ int, serve serve) (*http.Response, error) {
			serve()
			return reply(204, ""), nil
		}, "updated", 1},
		{"another record", func(int, serve) (*http.Response, error) {
			return reply(200, `{"id":"`+recordID(3)+`","name":"new"}`), nil
		}, "in_doubt", 1},
		{"stored otherwise", func(int, serve) (*http.Response, error) {
			return reply(200, `{"id":"`+recordID(0)+`","name":"NEW"}`), nil
		}, "updated stored_otherwise", 1},
		{"busy, then done", func(n int, _ serve) (*http.Response, error) {
			if n < 4 {
				return reply(429, "", "Retry-After", "2"), nil
			}
			return nil, nil
		}, "updated", 4},
		{"turned away by a limit of rates, then done", func(n int, _ serve) (*http.Response, error) {
			if n < 3 {
				return reply(403, "", "Retry-After", "1"), nil
			}
			return nil, nil
		}, "updated", 3},
		{"away, then done", func(n int, _ serve) (*http.Response, error) {
			if n < 3 {
				return reply(503, "", "Retry-After", "1"), nil
			}
			return nil, nil
		}, "updated", 3},
		{"refused for a field", func(int, serve) (*http.Response, error) {
			return reply(400, `{"name":["Not this."],"custom_id":["Nor this."]}`), nil
		}, "rejected refused refused", 1},
		{"refused without a word", func(int, serve) (*http.Response, error) { return reply(409, ""), nil }, "rejected refused", 1},
		{"refused in plain words", func(int, serve) (*http.Response, error) { return reply(422, "no"), nil }, "rejected refused", 1},
		{"too large", func(int, serve) (*http.Response, error) { return reply(413, ""), nil }, "rejected item_too_large", 1},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			a := withRecords(4)
			a.answer = func(n int, r *http.Request, serve func() *http.Response) (*http.Response, error) {
				if r.Method != http.MethodPatch {
					return nil, nil
				}
				return test.answer(n, serve)
			}
			c := written(t, updateTo(t, a, ImportOptions{}), row(0, "name", "new"))
			wantSequence(t, c, test.want)
			if n := a.asked[http.MethodPatch]; n != test.patches {
				t.Errorf("%d changes were sent, want %d", n, test.patches)
			}
		})
	}
}

func TestUpdateOfARecordThatVanished(t *testing.T) {
	a := withRecords(2)
	a.answer = func(_ int, r *http.Request, _ func() *http.Response) (*http.Response, error) {
		if r.Method == http.MethodPatch {
			a.mu.Lock()
			a.records = a.records[1:]
			a.mu.Unlock()
		}
		return nil, nil
	}
	wantSequence(t, written(t, updateTo(t, a, ImportOptions{}), row(0, "name", "new")), "rejected not_found")
}

// TestUpdateStopsWhenNoRowIsToBlame meets answers that are about the credentials
// or the address.
func TestUpdateStopsWhenNoRowIsToBlame(t *testing.T) {
	for _, test := range []struct {
		method string
		status int
	}{
		{http.MethodPatch, 401}, {http.MethodPatch, 403}, {http.MethodPatch, 404}, {http.MethodPatch, 405}, {http.MethodPatch, 307},
		{http.MethodGet, 401}, {http.MethodGet, 403}, {http.MethodGet, 302},
	} {
		a := withRecords(2)
		a.answer = func(_ int, r *http.Request, _ func() *http.Response) (*http.Response, error) {
			if r.Method == test.method {
				return reply(test.status, `{"detail":"No."}`), nil
			}
			return nil, nil
		}
		s := updateTo(t, a, ImportOptions{})
		c := chunkFrom(t, s, [][]string{row(0, "name", "new"), row(1, "name", "new")})
		err := s.Write(t.Context(), c)
		var status *api.StatusError
		if !errors.As(err, &status) || status.Status != test.status || status.Method != test.method {
			t.Errorf("%s %d: %v", test.method, test.status, err)
		}
		wantSequence(t, c, "pending, pending")
	}
}

func TestUpdateStopsWhenEveryChangeIsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := withRecords(10)
		a.answer = func(_ int, r *http.Request, _ func() *http.Response) (*http.Response, error) {
			if r.Method == http.MethodPatch {
				return nil, errReset
			}
			return nil, nil
		}
		s := updateTo(t, a, ImportOptions{Limits: Limits{MaxDoubts: 3}})
		var rows [][]string
		for i := range 6 {
			rows = append(rows, row(i, "name", "new"))
		}
		c := chunkFrom(t, s, rows)
		if err := s.Write(t.Context(), c); !errors.Is(err, errDoubts) {
			t.Errorf("the run goes on: %v", err)
		}
		wantFates(t, "doubts", c, "3 pending, 3 in_doubt")
	})
}

// TestAnAnswerThatLooksLikeARefusal has the API answer a change with what it changed, and a
// field that reads like a failure.
func TestAnAnswerThatLooksLikeARefusal(t *testing.T) {
	a := withRecords(1)
	a.answer = func(_ int, r *http.Request, serve func() *http.Response) (*http.Response, error) {
		if r.Method != http.MethodPatch {
			return nil, nil
		}
		serve()
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"name":"Bo","status":"failed"}`)), Request: r}, nil
	}
	wantSequence(t, written(t, updateTo(t, a, ImportOptions{Target: Target{Mode: UpdateOnly}}), row(0, "name", "Bo")), "updated")
}

// TestAChangeThatIsRefusedWithSuccess has the API answer 200 to changes, and say in the
// body that nothing was changed, and why.
func TestAChangeThatIsRefusedWithSuccess(t *testing.T) {
	for name, body := range map[string]string{
		"a flag":   `{"success":false,"errors":[{"field":"name","message":"not this"}]}`,
		"a status": `{"status":400,"error":{"name":["not this"]}}`,
		"a list":   `[{"status":422,"errors":{"name":["not this"]}}]`,
	} {
		t.Run(name, func(t *testing.T) {
			a := withRecords(2)
			a.answer = func(_ int, r *http.Request, _ func() *http.Response) (*http.Response, error) {
				if r.Method != http.MethodPatch {
					return nil, nil
				}
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
			}
			c := written(t, updateTo(t, a, ImportOptions{Target: Target{Mode: UpdateOnly}, Journal: newMemory()}), row(0, "name", "Bo"), row(1))
			wantSequence(t, c, "rejected refused, unchanged")
			if p := c.Problems[0]; p.Private != "not this" || p.Field != 0 {
				t.Errorf("%+v", p)
			}
		})
	}
}
