package pipeline_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"flytt/pipeline"
)

// These tests hold the Sink contract against the hardest thing to be built on
// it: a write-ahead journal, here the thinnest there can be. A child process
// imports into an API that the test serves, is killed at a chosen point, and is
// started again with the same journal, until it gets through. Then the API
// holds every row exactly once.

const (
	childVariable   = "FLYTT_JOURNAL_CHILD" // the point to die at, "none" for none
	apiVariable     = "FLYTT_JOURNAL_API"
	journalVariable = "FLYTT_JOURNAL_FILE"

	journalRows = 60 // in chunks of 4; the API refuses one row in seven
)

// journal is a Sink around a Sink. Its file has two kinds of lines, each with a
// checksum: "intent SEQ FIRST LAST DIGEST", on disk before the first byte is
// sent, and "fates SEQ LETTERS", one letter for each row of the chunk.
type journal struct {
	pipeline.Sink
	lookUp func(ctx context.Context, keys []string) (map[string]bool, error)
	die    func(point string, seq int64, line string)

	mu    sync.Mutex // guards file
	file  *os.File
	known map[int64]*entry // what earlier processes did; only read
}

type entry struct {
	intent string // everything behind SEQ
	fates  string // empty: nobody knows
}

func openJournal(path string) (*journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{file: file, known: map[int64]*entry{}}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	whole := int64(0)
	for line := range bytes.Lines(text) {
		if j.replay(string(line)) {
			whole += int64(len(line))
		} else if line[len(line)-1] == '\n' {
			return nil, fmt.Errorf("%s: damaged at byte %d", path, whole)
		} // else torn: it was being written, so nothing was sent on its word
	}
	if err := file.Truncate(whole); err != nil {
		return nil, err
	}
	_, err = file.Seek(whole, io.SeekStart)
	return j, err
}

// replay takes in one line, unless it is torn.
func (j *journal) replay(line string) bool {
	at := strings.LastIndexByte(line, ' ')
	if at < 0 || line != sealed(line[:at]) {
		return false
	}
	kind, rest, _ := strings.Cut(line[:at], " ")
	number, rest, _ := strings.Cut(rest, " ")
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return false
	}
	if kind == "intent" {
		j.known[seq] = &entry{intent: rest}
	} else {
		j.known[seq].fates = rest
	}
	return true
}

func sealed(line string) string {
	return fmt.Sprintf("%s %08x\n", line, crc32.ChecksumIEEE([]byte(line)))
}

func (j *journal) record(format string, args ...any) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.WriteString(sealed(fmt.Sprintf(format, args...))); err != nil {
		return err
	}
	return j.file.Sync()
}

// intentOf says which rows c is, and what would be sent of it. A journal that
// outlives its test would key the digest.
func intentOf(c *pipeline.Chunk) string {
	return fmt.Sprintf("%d %d %x", c.Rows[0], c.Rows[c.Len()-1], sha256.Sum256(c.Data))
}

func (j *journal) Write(ctx context.Context, c *pipeline.Chunk) error {
	intent := intentOf(c)
	if e := j.known[c.Seq]; e != nil {
		if e.intent != intent {
			return fmt.Errorf("chunk %d: the input is not what it was", c.Seq)
		}
		if err := j.recall(ctx, c, e.fates); err != nil {
			return err
		}
	}
	if c.Pending() > 0 {
		if err := j.send(ctx, c, intent); err != nil {
			return err
		}
	}
	return j.record("fates %d %s", c.Seq, letters(c))
}

// send lets the inner sink write, the intent being on disk.
func (j *journal) send(ctx context.Context, c *pipeline.Chunk, intent string) error {
	j.die("torn", c.Seq, sealed("intent"))
	if err := j.record("intent %d %s", c.Seq, intent); err != nil {
		return err
	}
	j.die("intent", c.Seq, "")
	if err := j.Sink.Write(ctx, c); err != nil {
		return err
	}
	j.die("answered", c.Seq, "")
	return nil
}

// recall settles the rows of c whose fate is known: from the journal or, where
// it is silent, from the API. Those that are nowhere stay Pending.
func (j *journal) recall(ctx context.Context, c *pipeline.Chunk, fates string) error {
	var doubtful []int
	for i, f := range c.Fates {
		switch {
		case f != pipeline.Pending:
		case fates == "" || fates[i] == 'd':
			doubtful = append(doubtful, i)
		case fates[i] == 'w':
			c.Fates[i] = pipeline.Written
		case fates[i] == 'r':
			c.Note(problem(i, pipeline.Write, "refused"))
		}
	}
	if len(doubtful) == 0 {
		return nil
	}
	keys := make([]string, len(doubtful))
	for n, i := range doubtful {
		keys[n] = string(c.Keys.Value(i))
	}
	present, err := j.lookUp(ctx, keys)
	for n, i := range doubtful {
		if present[keys[n]] {
			c.Fates[i] = pipeline.Written
		}
	}
	return err
}

func letters(c *pipeline.Chunk) string {
	out := make([]byte, c.Len())
	for i, f := range c.Fates {
		out[i] = map[pipeline.Fate]byte{pipeline.Written: 'w', pipeline.Rejected: 'r', pipeline.InDoubt: 'd'}[f]
		if out[i] == 0 {
			out[i] = '-'
		}
	}
	return string(out)
}

// apiClient is the inner sink: it posts the keys of a chunk and is told of each
// what became of it.
type apiClient struct {
	store // for its encoder, Commit and Abort
	base  string
}

func (a *apiClient) Write(ctx context.Context, c *pipeline.Chunk) error {
	var body bytes.Buffer
	for i, f := range c.Fates {
		if f == pipeline.Pending {
			body.Write(c.Item(i))
		}
	}
	answer, err := a.call(ctx, http.MethodPost, fmt.Sprintf("/chunks/%d", c.Seq), &body)
	if err != nil {
		c.SetPending(pipeline.InDoubt)
		return nil
	}
	for i, f := range c.Fates {
		if f != pipeline.Pending {
			continue
		}
		switch answer[string(c.Keys.Value(i))] {
		case "written":
			c.Fates[i] = pipeline.Written
		case "refused":
			c.Note(problem(i, pipeline.Write, "refused"))
		default:
			c.Fates[i] = pipeline.InDoubt
		}
	}
	return nil
}

func (a *apiClient) lookUp(ctx context.Context, keys []string) (map[string]bool, error) {
	answer, err := a.call(ctx, http.MethodGet, "/rows?"+url.Values{"key": keys}.Encode(), nil)
	present := map[string]bool{}
	for key := range answer {
		present[key] = true
	}
	return present, err
}

// call returns the lines of the answer, "KEY WORD".
func (a *apiClient) call(ctx context.Context, method, path string, body io.Reader) (map[string]string, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return nil, err
	}
	req.GetBody = nil // the transport is not to repeat a write by itself
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return nil, errors.Join(err, fmt.Errorf("status %d", resp.StatusCode))
	}
	answer := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, word, _ := strings.Cut(strings.TrimSpace(line), " ")
		answer[key] = word
	}
	return answer, nil
}

// journalChild imports, and dies on the way if it is told to.
func journalChild() int {
	j, err := openJournal(os.Getenv(journalVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	api := &apiClient{base: os.Getenv(apiVariable)}
	j.Sink, j.lookUp = api, api.lookUp
	j.die = func(point string, seq int64, line string) {
		if os.Getenv(childVariable) == fmt.Sprintf("%s %d", point, seq) {
			j.mu.Lock() // nothing is written after the torn line
			j.file.WriteString(line[:len(line)/2])
			kill(os.Getpid())
			select {}
		}
	}
	g := newRig(words(journalRows, good)).chunked(2, 4)
	g.Sink = j
	report, err := g.Do(context.Background())
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(report.Rows)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		p.Kill()
	}
}

// api is what the child imports into. It counts every write of every row.
type api struct {
	mu      sync.Mutex
	writes  map[string]int
	child   *os.Process
	started chan struct{} // closed when child is set
	dieAt   string        // "committed SEQ" or "halfway SEQ": kill the child then
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		a.list(w, r.URL.Query()["key"])
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut short by a death: nothing of it counts
	}
	seq := strings.TrimPrefix(r.URL.Path, "/chunks/")
	keys := strings.Fields(string(body))
	if a.dieAt == "halfway "+seq {
		a.commit(io.Discard, keys[:len(keys)/2])
		a.killChild()
		return
	}
	var answer bytes.Buffer
	a.commit(&answer, keys)
	if a.dieAt == "committed "+seq {
		a.killChild()
		return
	}
	w.Write(answer.Bytes())
}

func (a *api) killChild() {
	<-a.started
	a.child.Kill()
}

func (a *api) commit(w io.Writer, keys []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range keys {
		if refuses(key) {
			fmt.Fprintln(w, key, "refused")
			continue
		}
		a.writes[key]++
		fmt.Fprintln(w, key, "written")
	}
}

func refuses(key string) bool {
	n, err := strconv.Atoi(key)
	return err != nil || n%7 == 3
}

func (a *api) list(w io.Writer, keys []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range keys {
		if a.writes[key] > 0 {
			fmt.Fprintln(w, key, "written")
		}
	}
}

// run starts the child, to die at point, and returns what it reported: nothing
// if it died. When it returns, the API has ended all work on its behalf, what
// was under way as the child died included: a real run has to wait for that
// before it looks anything up.
func (a *api) run(t *testing.T, journalPath, point string) *pipeline.Counts {
	t.Helper()
	a.dieAt, a.started = point, make(chan struct{})
	server := httptest.NewServer(a)
	defer server.Close()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", childVariable+"="+point, apiVariable+"="+server.URL, journalVariable+"="+journalPath)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a.child = cmd.Process
	close(a.started)
	err := cmd.Wait()
	if err != nil {
		if cmd.ProcessState.Exited() {
			t.Fatalf("child, to die at %q: %v\n%s", point, err, &errs)
		}
		return nil
	}
	counts := new(pipeline.Counts)
	if err := json.Unmarshal(out.Bytes(), counts); err != nil {
		t.Fatalf("child: report %q: %v", &out, err)
	}
	return counts
}

func TestAJournalAroundASinkSurvivesKills(t *testing.T) {
	for _, point := range []string{"torn", "intent", "halfway", "committed", "answered"} {
		for _, chunk := range []int{0, 5, journalRows/4 - 1} {
			t.Run(fmt.Sprintf("%s %d", point, chunk), func(t *testing.T) {
				a := &api{writes: map[string]int{}}
				path := filepath.Join(t.TempDir(), "journal")
				if a.run(t, path, fmt.Sprintf("%s %d", point, chunk)) != nil {
					t.Fatal("the child outlived its death")
				}
				a.run(t, path, fmt.Sprintf("%s %d", point, chunk+4)) // dies again, if it gets so far
				a.check(t, a.run(t, path, "none"))
				a.check(t, a.run(t, path, "none")) // all of it from the journal
			})
		}
	}
}

// check holds the API and the report of the last child against what they are to
// be: every row there exactly once.
func (a *api) check(t *testing.T, counts *pipeline.Counts) {
	t.Helper()
	want := pipeline.Counts{Read: journalRows, Valid: journalRows}
	for n := range journalRows {
		key := strconv.Itoa(n)
		expected := 1
		if refuses(key) {
			expected = 0
			want.Rejected++
		} else {
			want.Written++
		}
		if a.writes[key] != expected {
			t.Errorf("row %s was written %d times, want %d", key, a.writes[key], expected)
		}
	}
	if counts == nil || *counts != want {
		t.Errorf("last run: %+v, want %+v", counts, want)
	}
}

func TestAJournalRefusesAnInputThatHasChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	for _, test := range []struct {
		rows int
		ok   bool
	}{{8, true}, {8, true}, {7, false}} {
		j, err := openJournal(path)
		if err != nil {
			t.Fatal(err)
		}
		g := newRig(words(test.rows, good)).chunked(1, 4)
		j.Sink, j.die, g.Sink = g.store, func(string, int64, string) {}, j
		_, err = g.Do(t.Context())
		if (err == nil) != test.ok {
			t.Errorf("%d rows: error %v", test.rows, err)
		}
		j.file.Close()
	}
}

func TestADamagedJournalIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	damaged := strings.Replace(sealed("intent 0 1 4 00"), "4", "5", 1)
	if err := os.WriteFile(path, []byte(damaged+sealed("fates 0 wwww")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(path); err == nil {
		t.Error("a journal with a bad checksum before its last line was opened")
	}
}
