package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/sandbox"
	"flytt/pipeline"
)

// An import has effects that outlive its process, and their order is what makes it safe to
// kill at any time. The tests named after effects hold it from outside, from the question
// to the exit; TestOrderOfEffectsOfAWrite of sinks holds it for each request.

// importer is an import of twelve rows, four in a chunk, one request at a time, in a
// process of its own.
type importer struct {
	*exec.Cmd
	stderr listener
}

// listener keeps what a process says, and tells when it says that it was interrupted.
type listener struct {
	said chan struct{} // closed then
	all  bytes.Buffer
}

func (l *listener) Write(p []byte) (int, error) {
	before := bytes.Contains(l.all.Bytes(), []byte(drainingText))
	l.all.Write(p)
	if !before && bytes.Contains(l.all.Bytes(), []byte(drainingText)) {
		close(l.said)
	}
	return len(p), nil
}

// startImporter starts the import into a sandbox that calls arrived with the number of
// each write, before anything of it is stored. It returns once the process runs; arrived is
// not called before.
func startImporter(t *testing.T, arrived func(i *importer, post int64)) *importer {
	t.Helper()
	t.Setenv("FLYTT_KEY_DIR", t.TempDir())
	i := &importer{stderr: listener{said: make(chan struct{})}}
	started := make(chan struct{})
	var posts atomic.Int64
	sandboxWith(t, sandbox.Options{Intercept: func(p sandbox.Point, _ http.ResponseWriter, r *http.Request) bool {
		if p == sandbox.Arrived && r.Method == http.MethodPost {
			<-started
			arrived(i, posts.Add(1))
		}
		return false
	}})
	write(t, "register.csv", contacts(12))
	i.Cmd = exec.Command("flytt", "import", "register.csv", "--yes", "--no-progress", "--chunk-rows", "4", "--concurrency", "1", "--run-dir", "run")
	i.Stderr = &i.stderr
	if err := i.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	return i
}

// entryOf returns what the journal of the run in the directory run has of a chunk.
func entryOf(t *testing.T, seq int64) *journal.Entry {
	t.Helper()
	key, err := loadKey()
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Read("run/journal.db", key)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	e, err := j.Find(seq)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestEffectsRowsAreOnRecordBeforeTheyAreSent kills the import when a request reaches the
// API: the journal has the rows in it as sent already. That what it has then is on the disk
// is tested with the journal.
func TestEffectsRowsAreOnRecordBeforeTheyAreSent(t *testing.T) {
	tests := []struct {
		name string
		post int64
		seq  int64 // of the chunk that the request is of
		sent []int32
	}{
		{"the canary", 1, 0, []int32{0}},
		{"the rest of its chunk", 2, 0, []int32{1, 2, 3}},
		{"the next chunk", 3, 1, []int32{0, 1, 2, 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			i := startImporter(t, func(i *importer, post int64) {
				if post == test.post {
					_ = i.Process.Kill()
					panic(http.ErrAbortHandler)
				}
			})
			if err := i.Wait(); err == nil || exitStatus(err) >= 0 {
				t.Fatalf("it was not killed: %v\n%s", err, &i.stderr.all)
			}
			e := entryOf(t, test.seq)
			if e == nil || e.State != journal.Sending {
				t.Fatalf("the journal has %+v of chunk %d", e, test.seq)
			}
			if diff := cmp.Diff(test.sent, e.Sent); diff != "" {
				t.Errorf("rows on record as sent (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEffectsADrainIsFinishedBeforeTheExit sends the import a signal while a request is
// under way, and holds the answer back: the process waits for it, sends nothing more, and
// ends with all it did on record.
func TestEffectsADrainIsFinishedBeforeTheExit(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("signals cannot be sent there")
	}
	var posts atomic.Int64
	exited := make(chan struct{})
	i := startImporter(t, func(i *importer, post int64) {
		posts.Store(post)
		if post != 2 {
			return
		}
		if err := i.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		select {
		case <-i.stderr.said:
		case <-exited:
			t.Error("it ended with a request under way, and without a word")
		}
		select {
		case <-exited:
			t.Error("it ended with a request under way")
		case <-time.After(200 * time.Millisecond): // enough for one that does not wait
		}
	})
	err := i.Wait()
	close(exited)
	if code := exitStatus(err); code != exitInterrupted {
		t.Fatalf("exit code %d, want %d\n%s", code, exitInterrupted, &i.stderr.all)
	}
	if posts.Load() != 2 {
		t.Errorf("%d requests, want the 2 that were begun before the signal", posts.Load())
	}
	e := entryOf(t, 0)
	want := []pipeline.Fate{pipeline.Written, pipeline.Written, pipeline.Written, pipeline.Written}
	if e == nil || e.State != journal.Settled || !slices.Equal(e.Fates, want) {
		t.Errorf("the journal has %+v of the chunk under way", e)
	}
	summary, err := report.ReadSummary("run")
	if err != nil {
		t.Fatal(err)
	}
	if r := summary.Rows; r.Written != 4 || r.InDoubt != 0 || r.NotSent != r.Read-4 || !summary.Balanced {
		t.Errorf("summary: %+v", r)
	}
	if n := flytt(t, exitDone, "export", "-o", "all.csv").Rows.Written; n != 4 {
		t.Errorf("the API has %d records, want 4", n)
	}
}
