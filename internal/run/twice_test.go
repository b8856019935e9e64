package run_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"flytt/internal/api"
	"flytt/internal/drain"
	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/run"
	"flytt/internal/runs"
	"flytt/internal/sandbox"
	"flytt/pipeline"
)

// place is a directory with a store of runs, and an API.
type place struct {
	dir   string
	store *runs.Store
	url   string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{dir: t.TempDir()}
	var err error
	p.store, err = runs.NewStore(filepath.Join(p.dir, "runs"), func() (*journal.Key, error) { return journal.LoadKey(p.dir) })
	if err != nil {
		t.Fatal(err)
	}
	box, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box)
	p.url = server.URL
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// spec returns the spec of a run in p that is about name, of rows whose keys begin with
// it.
func (p *place) spec(t *testing.T, name string, rows int) run.Spec {
	t.Helper()
	var b strings.Builder
	b.WriteString("custom_id,name,title,external_client.id\n")
	for i := range rows {
		fmt.Fprintf(&b, "%s-%d,Person %d,VD,6f9a3c1e-0000-4000-8000-000000000001\n", name, i, i)
	}
	file := filepath.Join(p.dir, name+".csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := run.Defaults()
	spec.File, spec.Store = file, p.store
	spec.Settings = p.settings()
	return spec
}

func (p *place) settings() run.Settings {
	const c = sandbox.DefaultCredential
	return run.Settings{BaseURL: p.url, Credentials: run.CredentialsSet{Seven: api.Credentials{
		CustomerID: c, ApplicationID: c, ServiceID: c, ServiceVersionID: c, ClientCT: c, ClientEntity: c, ClientSecret: c,
	}}}
}

// TestRunsAtTheSameTime does runs of several kinds at once in one process, each in a run
// directory of its own: none knows of the others.
func TestRunsAtTheSameTime(t *testing.T) {
	p := newPlace(t)
	kinds := []struct {
		name string
		rows int
		do   func(context.Context, run.Spec, run.Observer) (*run.Result, error)
	}{
		{"first", 900, run.Import}, {"second", 700, run.Import}, {"third", 500, run.Validate}, {"fourth", 300, run.Convert}, {"fifth", 100, run.Plan},
	}
	results := make([]*run.Result, len(kinds))
	var group sync.WaitGroup
	for i, kind := range kinds {
		spec := p.spec(t, kind.name, kind.rows)
		if kind.name == "fourth" {
			spec.Output.Path = filepath.Join(p.dir, "out.jsonl")
		}
		notes, progress := 0, 0 // of this run alone: the race detector sees if others count, too
		group.Go(func() {
			var err error
			results[i], err = kind.do(t.Context(), spec, run.Observer{
				Note: func(run.Note) { notes++ }, Progress: func(run.Progress) { progress++ },
			})
			var uncertain interface{ Hint() string } // a plan, for others write while it reads
			if err != nil && !(kind.name == "fifth" && errors.As(err, &uncertain)) {
				t.Errorf("%s: %v", kind.name, err)
			}
			if notes == 0 || progress == 0 {
				t.Errorf("%s: %d notes, told %d times how far it has come", kind.name, notes, progress)
			}
		})
	}
	group.Wait()
	dirs := map[string]bool{}
	for i, r := range results {
		if r == nil {
			t.Fatalf("%s did not begin", kinds[i].name)
		}
		dirs[r.Dir] = true
		if rows := r.Summary.Rows; rows.Read != int64(kinds[i].rows) || rows.Rejected != 0 || !r.Summary.Balanced {
			t.Errorf("%s: %+v", kinds[i].name, rows)
		}
	}
	if len(dirs) != len(kinds) {
		t.Errorf("%d run directories of %d runs", len(dirs), len(kinds))
	}
	all := run.Defaults()
	all.Store, all.Settings, all.Output.Path = p.store, p.settings(), filepath.Join(p.dir, "all.csv")
	r, err := run.Export(t.Context(), all, run.Observer{})
	if err != nil || r.Summary.Rows.Written != 1600 {
		t.Errorf("the API has %+v, %v", r.Summary.Rows, err)
	}
}

// TestAnInterruptedImportIsResumed drains an import, and does the rest of it by the spec
// that its journal has.
func TestAnInterruptedImportIsResumed(t *testing.T) {
	p := newPlace(t)
	spec := p.spec(t, "row", 400)
	spec.Write.ChunkRows, spec.Write.Concurrency = 20, 1
	gate := drain.New()
	r, err := run.Import(t.Context(), spec, run.Observer{Drain: gate, Progress: func(run.Progress) { gate.Close(pipeline.ErrInterrupted) }})
	if run.ExitCode(err) != report.ExitInterrupted || r.Next.Command.Verb != "resume" {
		t.Fatalf("%v, next %+v", err, r.Next)
	}
	done := r.Summary.Rows.Written
	if done == 0 || done == 400 {
		t.Fatalf("%d rows are written", done)
	}
	again, err := run.SpecOf(p.store, "resume", r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.Write.ChunkRows != 20 || again.Write.Concurrency != 1 {
		t.Errorf("the journal has %+v", again.Write)
	}
	again.Settings = p.settings()
	resumed, err := run.Resume(t.Context(), again, run.Observer{})
	if err != nil || resumed.Dir != r.Dir || resumed.Summary.Rows.Written != 400 {
		t.Errorf("%v: %s, %+v", err, resumed.Dir, resumed.Summary.Rows)
	}
	verify, err := run.SpecOf(p.store, "verify", r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	verify.Settings = p.settings()
	if v, err := run.Verify(t.Context(), verify, run.Observer{}); err != nil || v.Summary.Rows.Unchanged != 400 || v.Summary.Parent != r.Dir {
		t.Errorf("%v: parent %s, %+v", err, v.Summary.Parent, v.Summary.Rows)
	}
}

// TestAnImportThatIsNotAgreedToLeavesNothing asks, and is refused.
func TestAnImportThatIsNotAgreedToLeavesNothing(t *testing.T) {
	p := newPlace(t)
	spec := p.spec(t, "row", 3)
	spec.Settings.BaseURL = "https://192.0.2.1" // for documents: nobody answers there
	var asked []run.Question
	r, err := run.Import(t.Context(), spec, run.Observer{Ask: func(q run.Question) (bool, error) {
		asked = append(asked, q)
		return false, nil
	}})
	if r != nil || run.ExitCode(err) != report.ExitUsage {
		t.Errorf("%+v, %v", r, err)
	}
	if len(asked) != 1 || asked[0].File != spec.File || asked[0].Tenant != sandbox.DefaultCredential || asked[0].Host != "192.0.2.1" {
		t.Errorf("asked %+v", asked)
	}
	if left, err := filepath.Glob(filepath.Join(p.dir, "runs", "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}
