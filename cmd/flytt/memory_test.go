package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flytt/internal/sandbox"
)

// TestFault36Memory imports into an API that is slower than the reader, and
// samples the memory of the importer: it is no more at the end than it was early
// on. docs/performance.md has the figures for 10,000,000 rows.
func TestFault36Memory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is sampled from /proc")
	}
	if testing.Short() {
		t.Skip("takes 20 seconds")
	}
	const rows = 300_000
	dir := t.TempDir()
	writeRegister(t, dir, rows)
	server, sent := slowEcho(t, 20*time.Millisecond)
	cmd := exec.CommandContext(t.Context(), buildFlytt(t), "import", "in.csv", "-m", "mapping.yaml", "--run-dir", "run", "--json", "--no-progress")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "FLYTT_BASE_URL="+server, "FLYTT_KEY_DIR="+filepath.Join(dir, "key"), "GOMEMLIMIT=64MiB")
	for _, name := range credentialNames {
		cmd.Env = append(cmd.Env, name+"="+sandbox.DefaultCredential)
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	samples := sampleMemory(t, cmd, sent, rows)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, &output)
	}
	early, late := slices.Max(samples[0]), slices.Max(samples[1])
	t.Logf("%d rows: at most %d KiB in the first third, %d in the last", rows, early, late)
	if late > early+early/8+8<<10 {
		t.Errorf("memory grows with the input: at most %d KiB in the first third, %d in the last", early, late)
	}
}

// writeRegister writes a register of so many good rows, and its mapping, into dir.
func writeRegister(t *testing.T, dir string, rows int) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "in.csv"))
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "Nr,Namn,Titel,Kund")
	for i := range rows {
		fmt.Fprintf(w, "R-%07d,Person %d,Kontaktperson,"+soakClient+"\n", i, i, i%7)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	mapping := "resource: externalclientcontactperson\nkey: custom_id\nfields: {custom_id: Nr, name: Namn, title: Titel, external_client.id: Kund}\n"
	if err := os.WriteFile(filepath.Join(dir, "mapping.yaml"), []byte(mapping), 0o600); err != nil {
		t.Fatal(err)
	}
}

// slowEcho starts an API that takes its time, gives every row back with an id, and
// keeps none; sent counts the rows it got.
func slowEcho(t *testing.T, pause time.Duration) (url string, sent *atomic.Int64) {
	t.Helper()
	sent = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var records []map[string]any
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&records); err != nil {
				http.Error(w, "not an array", http.StatusInternalServerError)
				return
			}
		} else {
			records = []map[string]any{}
		}
		for _, record := range records {
			record["id"] = fmt.Sprintf("00000000-0000-4000-8000-%012d", sent.Add(1))
		}
		time.Sleep(pause)
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
		}
		_ = json.NewEncoder(w).Encode(records)
	}))
	t.Cleanup(server.Close)
	return server.URL, sent
}

// sampleMemory samples the resident memory of a process, in KiB, in the first
// third of its rows, without the start, and in the last third.
func sampleMemory(t *testing.T, cmd *exec.Cmd, sent *atomic.Int64, rows int64) (samples [2][]int) {
	t.Helper()
	status := fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)
	for sent.Load() < rows {
		data, err := os.ReadFile(status)
		_, rest, found := strings.Cut(string(data), "VmRSS:")
		var kib int
		if err != nil || !found {
			break // it has ended
		}
		if _, err := fmt.Sscan(rest, &kib); err != nil {
			t.Fatal(err)
		}
		switch n := sent.Load(); {
		case n > rows/20 && n < rows/3:
			samples[0] = append(samples[0], kib)
		case n > rows*2/3:
			samples[1] = append(samples[1], kib)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if len(samples[0]) == 0 || len(samples[1]) == 0 {
		t.Fatal("the run was over before its memory could be sampled")
	}
	return samples
}
