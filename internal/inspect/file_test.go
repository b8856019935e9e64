package inspect_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"flytt/internal/inspect"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

// inspected looks into a CSV file.
func inspected(t *testing.T, text string, o inspect.Options) *inspect.Report {
	t.Helper()
	file := filepath.Join(t.TempDir(), "in.csv")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.Source, o.Info, err = sources.Open(file, nil); err != nil {
		t.Fatal(err)
	}
	defer o.Source.Close()
	o.Today = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	r, err := inspect.Inspect(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestColumnsAreDescribedWithoutTheirValues(t *testing.T) {
	contacts, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	const text = "E-post,Antal\nanna@example.com,7\nbo@example.com,\nx,12\n"
	r := inspected(t, text, inspect.Options{Resource: contacts})
	want := []inspect.Column{
		{Name: "E-post", Field: "email", Used: true, Kind: "email", Fits: 0.6666, Values: 3, Distinct: 3, Longest: 16,
			Samples: []string{"aaaa@aaaaaaa.aaa", "aa@aaaaaaa.aaa", "a"}},
		{Name: "Antal", Kind: "integer", Fits: 1, Empty: 0.3333, Values: 2, Distinct: 2, Longest: 2, Samples: []string{"9", "99"}},
	}
	if diff := cmp.Diff(want, r.Columns, cmpopts.IgnoreFields(inspect.Column{}, "Score", "Reason")); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"name", "external_client.id", "title"}, r.Missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	if want := (inspect.Rows{Count: 3, Exact: true, LookedAt: 3}); r.Rows != want {
		t.Errorf("rows %+v, want %+v", r.Rows, want)
	}
	if r := inspected(t, text, inspect.Options{Values: true}); r.Columns[1].Samples[1] != "12" || r.Columns[0].Field != "" {
		t.Errorf("with values and without a resource: %+v", r.Columns)
	}
}

func TestAllRowsAreReadIfThatIsAsked(t *testing.T) {
	const rows = 50_000
	var b strings.Builder
	b.WriteString("Nr,Namn\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,Person %d\n", i, i%7)
	}
	first := inspected(t, b.String(), inspect.Options{})
	if n := first.Rows; n.Exact || n.LookedAt != 1000 || n.Count < rows*9/10 || n.Count > rows*11/10 {
		t.Errorf("the first look: %+v, want about %d", n, rows)
	}
	updates := 0
	all := inspected(t, b.String(), inspect.Options{Whole: true, Progress: func(pipeline.Progress) { updates++ }})
	if want := (inspect.Rows{Count: rows, Exact: true, LookedAt: rows}); all.Rows != want || updates == 0 {
		t.Errorf("all rows: %+v, want %+v; %d updates", all.Rows, want, updates)
	}
	if n := all.Columns[1].Distinct; n != 7 {
		t.Errorf("%d different names, want 7", n)
	}
}
