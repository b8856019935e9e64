package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"flytt/internal/run"
	"flytt/internal/sandbox"
	"flytt/pipeline"
	"flytt/sources"
)

const wideRows = 2000

// wide is a register so wide that it is not read to its end before the first rows
// are written.
var wide = sync.OnceValue(func() string {
	var b strings.Builder
	b.WriteString("custom_id,name,title,external_client.id,Not\n")
	note := strings.Repeat("x", 4000)
	for i := range wideRows {
		fmt.Fprintf(&b, "N-%d,Person %d,VD,6f9a3c1e-0000-4000-8000-%012d,%s\n", i, i, i%7, note)
	}
	return b.String()
})

// writeWide writes it to in.csv, as it was an hour ago.
func writeWide(t *testing.T) {
	t.Helper()
	write(t, "in.csv", wide())
	was := time.Now().Add(-time.Hour)
	noError(t, os.Chtimes("in.csv", was, was))
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// disturbances are what is done to in.csv at once while it is read, and what is said
// of it.
var disturbances = map[string]struct {
	do   func(t *testing.T)
	says string
	same bool // it holds what it did
}{
	"cut short": {do: func(t *testing.T) { noError(t, os.Truncate("in.csv", 6_000_000)) }, says: "it has [0-9]+ bytes fewer"},
	"appended": {do: func(t *testing.T) {
		grow(t, "in.csv", "N-9999,P,VD,6f9a3c1e-0000-4000-8000-000000000001,\n")
	}, says: "it has (50 bytes more|as many bytes)"}, // Linux sets the time first
	"edited": {do: func(t *testing.T) {
		f, err := os.OpenFile("in.csv", os.O_WRONLY, 0)
		noError(t, err)
		_, err = f.WriteAt([]byte("y"), int64(len(wide())-2))
		noError(t, errors.Join(err, f.Close()))
	}, says: "it has as many bytes, written "},
	"replaced": {do: func(t *testing.T) {
		write(t, "new.csv", strings.ReplaceAll(wide(), "Person", "Nosrep"))
		noError(t, os.Rename("new.csv", "in.csv"))
	}, says: "another file has its name, with as many bytes"},
	"touched": {do: func(t *testing.T) { noError(t, os.Chtimes("in.csv", time.Now(), time.Now())) }, says: "it has as many bytes", same: true},
	"replaced by the same": {do: func(t *testing.T) {
		write(t, "new.csv", wide())
		noError(t, os.Rename("new.csv", "in.csv"))
	}, says: "another file has its name, with as many bytes", same: true},
}

// disturbed runs test for each of the disturbances, in a directory of its own with
// in.csv. It bounds how far a run reads ahead.
func disturbed(t *testing.T, test func(t *testing.T, disturb func(), says string, same bool)) {
	was := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(was)
	for name, d := range disturbances {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			t.Setenv("FLYTT_KEY_DIR", t.TempDir())
			t.Setenv("FLYTT_CONFIG", "")
			writeWide(t)
			test(t, sync.OnceFunc(func() { d.do(t) }), "flytt: in.csv: changed while it was read: "+d.says, d.same)
		})
	}
}

// boxThat starts a sandbox that calls meddle before it takes rows.
func boxThat(t *testing.T, meddle func()) *sandbox.Sandbox {
	t.Helper()
	box, err := sandbox.New(sandbox.Options{Intercept: func(p sandbox.Point, _ http.ResponseWriter, r *http.Request) bool {
		if p == sandbox.Arrived && r.Method == http.MethodPost {
			meddle()
		}
		return false
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box)
	t.Cleanup(func() {
		server.Close()
		noError(t, box.Close())
	})
	t.Setenv("FLYTT_BASE_URL", server.URL)
	for _, name := range credentialNames {
		t.Setenv(name, sandbox.DefaultCredential)
	}
	return box
}

// outcome returns how the run at path ended.
func outcome(t *testing.T, path string) string {
	t.Helper()
	store, err := (&app{}).store()
	if err != nil {
		t.Fatal(err)
	}
	jr, err := store.Journal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer jr.Close()
	return jr.Outcome()
}

// TestAnImportWhoseInputChanges changes the input when the first rows arrive: what
// was sent is on record, and the run goes on once the input is what it was.
func TestAnImportWhoseInputChanges(t *testing.T) {
	disturbed(t, func(t *testing.T, disturb func(), says string, same bool) {
		box := boxThat(t, disturb)
		if same {
			flytt(t, exitDone, "import", "in.csv", "--run-dir", "run", "--chunk-rows", "100", "--concurrency", "1")
		} else {
			s := flytt(t, exitFatal, "import", "in.csv", "--run-dir", "run", "--chunk-rows", "100", "--concurrency", "1")
			if n := int64(len(idsOf(t, box))); s.Rows.Written != n || n == 0 || n >= wideRows || outcome(t, "run") != "failed" {
				t.Fatalf("%d rows are there, the run is %s: %+v", n, outcome(t, "run"), s.Rows)
			}
			if said := "flytt: " + s.Error.Message; !regexp.MustCompile(says).MatchString(said) || s.Error.Hint == "" || s.Error.Next != "flytt resume run" {
				t.Errorf("%s: %+v", said, s.Error)
			}
			writeWide(t)
			flytt(t, exitDone, "resume", "run")
		}
		if n := len(idsOf(t, box)); n != wideRows || outcome(t, "run") != "done" {
			t.Errorf("%d rows are there, the run is %s", n, outcome(t, "run"))
		}
	})
}

// TestAConvertWhoseInputChanges changes the input when its first rows are read: no
// output is left, and what was read is accounted for.
func TestAConvertWhoseInputChanges(t *testing.T) {
	disturbed(t, func(t *testing.T, disturb func(), says string, _ bool) {
		spec := run.Defaults()
		spec.File, spec.Output.Path = "in.csv", "out.csv"
		noError(t, (&app{}).complete(&spec))
		result, err := run.Convert(t.Context(), spec, run.Observer{Progress: func(run.Progress) { disturb() }})
		if result == nil {
			t.Fatal(err)
		}
		if said := "flytt: " + err.Error(); run.ExitCode(err) != exitFatal || !errors.Is(err, sources.ErrChanged) || !regexp.MustCompile(says).MatchString(said) {
			t.Errorf("exit code %d: %s", run.ExitCode(err), said)
		}
		left, err := filepath.Glob("*out*")
		hidden, _ := filepath.Glob(".flytt-*")
		if err != nil || len(left)+len(hidden) > 0 || !result.Summary.Balanced || result.Summary.Rows.Written != 0 {
			t.Errorf("%v: %q %q %+v", err, left, hidden, result.Summary.Rows)
		}
	})
}

// TestAnInputThatChangesAfterItWasOpened appends to inputs of each format before they
// are read.
func TestAnInputThatChangesAfterItWasOpened(t *testing.T) {
	goodInputs(t, 20_000)
	for _, extension := range []string{"csv", "csv.gz", "csv.zst", "jsonl", "xlsx", "parquet"} {
		t.Run(extension, func(t *testing.T) {
			file := "good." + extension
			in, err := run.OpenInput(&run.Spec{File: file})
			if err != nil {
				t.Fatal(err)
			}
			grow(t, file, "N-z,Pers")
			result, err := (&pipeline.Run{Source: in.Source, Schema: &pipeline.Schema{}}).Do(t.Context())
			if !errors.Is(err, sources.ErrChanged) || !result.Balanced() || result.Rows.Read > 20_000 {
				t.Errorf("%v: %+v", err, result.Rows)
			}
			noError(t, in.Source.Close())
		})
	}
}
