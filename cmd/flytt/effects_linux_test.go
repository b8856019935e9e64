package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// TestARunHasADirectoryThenAsksThenHasAJournal looks at the directory of a run from
// outside when it asks whether to write, and when it first reaches for the API: the
// directory is there before the question, the journal not before the answer, and nothing
// goes to the API before the journal is there.
func TestARunHasADirectoryThenAsksThenHasAJournal(t *testing.T) {
	dir := t.TempDir()
	there := func(pattern string) int {
		names, err := filepath.Glob(filepath.Join(dir, runsDir, pattern))
		if err != nil {
			t.Error(err)
		}
		return len(names)
	}
	var asked atomic.Int64
	var first sync.Once // of the connections
	reached := make(chan struct{})
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		first.Do(func() {
			if asked.Load() != 1 || there("*/journal.db") != 1 {
				t.Errorf("the API is reached for after %d questions, with %d journals", asked.Load(), there("*/journal.db"))
			}
			close(reached)
		})
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer proxy.Close()

	cmd, person := atTerminal(t, dir, []string{"HTTPS_PROXY=" + proxy.URL, "NO_PROXY="}, "import", "in.csv", "-m", "mapping.yaml", "--give-up-after", "1ms")
	said := talk(t, person, func() string {
		asked.Add(1)
		if there("*") != 1 || there("*/journal*") != 0 {
			t.Errorf("at the question there are %d runs, with %d files of a journal; want one without", there("*"), there("*/journal*"))
		}
		select {
		case <-reached:
			t.Error("the API was reached for before the question")
		default:
		}
		return "y\n"
	})
	if code := exitStatus(cmd.Wait()); code != exitFatal {
		t.Errorf("exit code %d, want %d", code, exitFatal)
	}
	select {
	case <-reached:
	default:
		t.Error("the API was never reached for")
	}
	if t.Failed() {
		t.Logf("it said:\n%s", said)
	}
}
