package sandbox_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"flytt/internal/api"
	"flytt/internal/api/list"
	"flytt/internal/sandbox"
)

// ways are ways to read a list.
var ways = map[string]struct {
	order   []string
	options list.Options
}{
	"created":       {options: list.Options{PageSize: 12, Concurrency: 4, Created: "created_at"}},
	"created alone": {options: list.Options{PageSize: 12, Concurrency: 1, Created: "created_at"}},
	"large pages":   {options: list.Options{PageSize: 500, Concurrency: 4, Created: "created_at"}},
	"by id":         {options: list.Options{PageSize: 12, Concurrency: 3}},
	"own order":     {order: []string{"-name", "title"}, options: list.Options{PageSize: 12, Concurrency: 4, Created: "created_at"}},
	"whole":         {options: list.Options{SingleResponse: true, Created: "created_at"}},
}

func TestExportUnderEverySwitch(t *testing.T) {
	for name, o := range map[string]sandbox.Options{
		"friendly":        {},
		"small pages":     {MaxPageSize: 5},
		"404 past end":    {PastEnd: sandbox.NotFound},
		"both":            {MaxPageSize: 7, PastEnd: sandbox.NotFound},
		"first page":      {Paging: sandbox.FirstPage},
		"no pages":        {Paging: sandbox.OnePage},
		"no order":        {IgnoreOrder: true},
		"always an array": {Framing: sandbox.AlwaysArray},
		"always lines":    {Framing: sandbox.AlwaysLines},
		"envelope":        {Framing: sandbox.Envelope},
		"bare relations":  {Relations: sandbox.BareID},
		"no order, first": {IgnoreOrder: true, Paging: sandbox.FirstPage},
		"no order, none":  {IgnoreOrder: true, Paging: sandbox.OnePage},
	} {
		t.Run(name, func(t *testing.T) {
			framing := o.Framing
			s, ids := seeded(t, 90, 5, o)
			server := httptest.NewServer(s)
			defer server.Close()
			for way, w := range ways {
				got := export(t, server.URL, listOf(t, w.order...), w.options)
				if got.err != nil {
					if o.Paging != sandbox.FirstPage || !strings.Contains(got.err.Error(), "ignores _page") {
						t.Errorf("%s: %v", way, got.err)
					}
					continue
				}
				if n := got.missing(t, ids); n > 0 && got.account.Complete || len(got.ids)+n != 90 {
					t.Errorf("%s: %d rows are missing, %+v, framing %v", way, n, got.account, framing)
				}
				if !got.account.Complete && o.Paging == sandbox.Pages {
					t.Errorf("%s: %+v", way, got.account)
				}
			}
		})
	}
}

func TestExportUnderFaults(t *testing.T) {
	for fault, wantErr := range map[string]string{
		"list:3:repeat-page":                  "",
		"list:4:shorten":                      "",
		"list:3:truncate":                     "",
		"list:2:html":                         "",
		"list:20%:503=0":                      "",
		"list:5:500":                          "",
		"list:2-4:429=0":                      "",
		"list:3:reset":                        "",
		"list:4:stall":                        "",
		"list:*:skew=+10m":                    "",
		"list:6-:401":                         "401",
		"list:5:403":                          "403",
		"list:3:redirect=http://127.0.0.1:9/": "307",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			s, ids := seeded(t, 90, 6, sandbox.Options{Faults: sandbox.MustParseFaults(fault), Now: time.Now})
			server := httptest.NewServer(s)
			defer server.Close()
			got := export(t, server.URL, listOf(t), ways["created"].options)
			n := got.missing(t, ids)
			switch {
			case wantErr != "":
				var status *api.StatusError
				if got.account.Complete || !errors.As(got.err, &status) || fmt.Sprint(status.Status) != wantErr {
					t.Errorf("%v, %+v", got.err, got.account)
				}
			case got.err != nil || n > 0 || !got.account.Complete:
				t.Errorf("%d rows are missing, %v, %+v", n, got.err, got.account)
			}
		})
	}
}

func TestExportTellsTheTimeOfTheServer(t *testing.T) {
	s, _ := seeded(t, 30, 7, sandbox.Options{Faults: sandbox.MustParseFaults("any:*:skew=+10m"), Now: time.Now})
	server := httptest.NewServer(s)
	defer server.Close()
	a := export(t, server.URL, listOf(t), ways["created"].options).account
	if ahead := time.Until(a.ServerTime); ahead < 9*time.Minute || ahead > 11*time.Minute {
		t.Errorf("the server is %v ahead", ahead)
	}
}

// Rows that come or go before every request.
func TestExportOfAListThatChangesWithEveryRequest(t *testing.T) {
	for _, fault := range []string{"list:*:insert=3", "list:2-12:delete=2", "list:40%:insert=20", "list:30%:delete=1"} {
		for way, w := range ways {
			t.Run(fault+" "+way, func(t *testing.T) {
				s, ids := seeded(t, 90, 8, sandbox.Options{Faults: sandbox.MustParseFaults(fault), FaultSeed: 3, Now: time.Now})
				server := httptest.NewServer(s)
				defer server.Close()
				got := export(t, server.URL, listOf(t, w.order...), w.options)
				left := stillThere(t, s, ids)
				n := got.missing(t, left)
				a := got.account
				switch {
				case got.err != nil:
					t.Error(got.err)
				case a.Complete && n > 0, a.Complete == (a.Doubt != ""):
					t.Errorf("%d rows are missing: %+v", n, a)
				case !a.Complete && strings.HasPrefix(way, "created"):
					t.Errorf("not proved complete: %+v", a)
				}
			})
		}
	}
}

// stillThere returns those of ids that the sandbox has.
func stillThere(t *testing.T, s http.Handler, ids []string) (left []string) {
	t.Helper()
	for _, id := range ids {
		if do(s, "GET", base+id+"/", "").status == http.StatusOK {
			left = append(left, id)
		}
	}
	return left
}

func TestExportLimits(t *testing.T) {
	s, _ := seeded(t, 90, 9, sandbox.Options{})
	server := httptest.NewServer(s)
	defer server.Close()
	for way, w := range ways {
		all := export(t, server.URL, listOf(t, w.order...), w.options)
		w.options.Limit = 31
		got := export(t, server.URL, listOf(t, w.order...), w.options)
		if got.err != nil || !got.account.Complete || !slices.Equal(got.ids, all.ids[:31]) {
			t.Errorf("%s: %d rows, %v, %+v", way, len(got.ids), got.err, got.account)
		}
	}
}
