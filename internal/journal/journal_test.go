package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"flytt/pipeline"
)

func TestMain(m *testing.M) {
	if os.Getenv("FLYTT_JOURNAL_CHILD") != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

// testKey is a key that is the same in all tests.
func testKey() *Key { return newKey(bytes.Repeat([]byte{7}, keySize)) }

// testHeader has every field set.
func testHeader() Header {
	file := File{Name: "input", Path: "/data/kontakter.csv", Size: 12, SHA256: "ab", ModTime: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}
	return Header{
		Format: Format, Run: "20261124-021500-3fa9c1", Parent: "/runs/1", Verb: "import", Tool: "1.2.3",
		Began: time.Date(2026, 11, 24, 2, 15, 0, 0, time.UTC), BaseURL: "https://api.example.com", Customer: "c", Resource: "tenant",
		Input: file, Files: []File{file}, Spec: []byte(`{"flags":{}}`),
	}
}

// newJournal makes a journal in a directory of its own.
func newJournal(t testing.TB) (*Journal, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := Create(path, testHeader(), testKey())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() }) // what matters of it is tested
	return j, path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func reopened(t testing.TB, j *Journal, path string) *Journal {
	t.Helper()
	must(t, j.Close())
	j, err := Open(path, testKey())
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// chunkOf returns a chunk of n rows.
func chunkOf(seq int64, n int) Chunk {
	return Chunk{Seq: seq, First: seq*int64(n) + 1, Last: (seq + 1) * int64(n), Rows: n, Digest: bytes.Repeat([]byte{byte(seq)}, 32)}
}

// settlementOf returns what became of n rows, if all went well.
func settlementOf(seq int64, n int) Settlement {
	s := Settlement{Sums: make([]uint64, n)}
	for i := range n {
		s.Fates = append(s.Fates, pipeline.Written)
		s.IDs.Append(fmt.Appendf(nil, "%08x-0000-4000-8000-%012x", seq, i))
		s.Sums[i] = uint64(seq)<<32 | uint64(i) + 1
	}
	return s
}

// column makes a column; "-" is a null.
func column(values ...string) (c pipeline.Column) {
	for _, v := range values {
		if v == "-" {
			c.AppendNull()
		} else {
			c.Append([]byte(v))
		}
	}
	return c
}

// told is an entry as tests compare it.
type told struct {
	Chunk Chunk
	State State
	Sent  []int32
	Fates []pipeline.Fate
	IDs   []string
	Sums  []uint64
	Notes string
}

func tell(e *Entry) *told {
	if e == nil {
		return nil
	}
	out := &told{Chunk: e.Chunk, State: e.State, Sent: e.Sent, Fates: e.Fates, Sums: e.Sums, Notes: string(e.Notes)}
	for i := range e.IDs.Len() {
		if e.IDs.Null(i) {
			out.IDs = append(out.IDs, "-")
		} else {
			out.IDs = append(out.IDs, string(e.IDs.Value(i)))
		}
	}
	return out
}

func found(t testing.TB, j *Journal, seq int64) *told {
	t.Helper()
	e, err := j.Find(seq)
	must(t, err)
	return tell(e)
}

func TestChunkGoesThroughItsStates(t *testing.T) {
	j, path := newJournal(t)
	c := chunkOf(3, 5)
	if got := found(t, j, 3); got != nil {
		t.Fatalf("known before it was planned: %+v", got)
	}
	must(t, j.Plan(c))
	want := &told{Chunk: c, State: Planned}
	check := func(what string) {
		t.Helper()
		if diff := cmp.Diff(want, found(t, j, 3)); diff != "" {
			t.Fatalf("%s: -want +got\n%s", what, diff)
		}
		j = reopened(t, j, path)
		if diff := cmp.Diff(want, found(t, j, 3)); diff != "" {
			t.Fatalf("%s, reopened: -want +got\n%s", what, diff)
		}
	}
	check("planned")

	must(t, j.Sending(3, []int32{4, 0}, nil))
	want.State, want.Sent = Sending, []int32{0, 4}
	check("sending")
	must(t, j.Sending(3, []int32{1, 4}, []byte("before")))
	want.Sent = []int32{0, 1, 4}
	check("sending more")

	must(t, j.Settle(3, Settlement{
		Fates: []pipeline.Fate{pipeline.Written, pipeline.Rejected, pipeline.Rejected, pipeline.Pending, pipeline.InDoubt},
		IDs:   column("8d2b7b7e-0000-4000-8000-00000000000f", "-", "", "17", "8D2B7B7E-0000-4000-8000-00000000000F"),
		Sums:  []uint64{1, 0, 0, 1 << 63, 0}, Notes: []byte("what the API said"),
	}))
	want.State, want.Sent = Settled, nil
	want.Fates = []pipeline.Fate{pipeline.Written, pipeline.Rejected, pipeline.Rejected, pipeline.Pending, pipeline.InDoubt}
	want.IDs = []string{"8d2b7b7e-0000-4000-8000-00000000000f", "-", "", "17", "8D2B7B7E-0000-4000-8000-00000000000F"}
	want.Sums, want.Notes = []uint64{1, 0, 0, 1 << 63, 0}, "what the API said"
	check("settled")

	must(t, j.Plan(c)) // by the next pass
	check("planned again")
	must(t, j.Sending(3, []int32{3}, []byte("before, again")))
	want.State, want.Sent = Sending, []int32{3}
	check("sending again")
	must(t, j.Settle(3, Settlement{Fates: slices.Repeat([]pipeline.Fate{pipeline.Written}, 5)}))
	*want = told{Chunk: c, State: Settled, Fates: slices.Repeat([]pipeline.Fate{pipeline.Written}, 5)}
	check("settled again")

	images, err := j.BeforeImages(3)
	must(t, err)
	if diff := cmp.Diff([]BeforeImage{{3, []byte("before")}, {3, []byte("before, again")}}, images); diff != "" {
		t.Errorf("images: -want +got\n%s", diff)
	}
}

func TestHeaderAndOutcomeAreKept(t *testing.T) {
	j, path := newJournal(t)
	must(t, j.Plan(chunkOf(0, 1)))
	must(t, j.Finish("interrupted"))
	j = reopened(t, j, path)
	if diff := cmp.Diff(testHeader(), j.Header()); diff != "" {
		t.Errorf("header: -want +got\n%s", diff)
	}
	if got := j.Outcome(); got != "interrupted" {
		t.Errorf("outcome %s", got)
	}
	must(t, j.Sending(0, []int32{0}, nil))
	if got := j.Outcome(); got != "" {
		t.Errorf("outcome %s of a run that goes on", got)
	}
	must(t, j.Finish("done"))
	must(t, j.Close())
	if got := j.Outcome(); got != "done" {
		t.Errorf("outcome %s once closed", got)
	}
}

func TestEntriesComeInOrder(t *testing.T) {
	j, path := newJournal(t)
	const n = 3*pageSize + 1
	for i := range int64(n) {
		must(t, j.Plan(chunkOf(n-1-i, 3)))
	}
	for range 2 {
		next := int64(0)
		for e, err := range j.Entries {
			must(t, err)
			if diff := cmp.Diff(chunkOf(next, 3), e.Chunk); diff != "" {
				t.Fatalf("-want +got\n%s", diff)
			}
			next++
		}
		if next != n {
			t.Fatalf("%d entries, want %d", next, n)
		}
		must(t, j.Close())
		var err error
		j, err = Read(path, testKey())
		must(t, err)
	}
	for range j.Entries {
		break // a reader may stop
	}
	must(t, j.Close())
}

func TestReadChangesNothing(t *testing.T) {
	j, path := newJournal(t)
	must(t, j.Plan(chunkOf(0, 2)))
	must(t, j.Finish("done"))
	must(t, j.Close())
	before, err := os.ReadFile(path)
	must(t, err)

	r, err := Read(path, testKey())
	must(t, err)
	other, err := Read(path, testKey()) // any number may
	must(t, err)
	for _, err := range []error{r.Plan(chunkOf(1, 1)), r.Sending(0, []int32{0}, nil), r.Settle(0, Settlement{}), r.Finish("")} {
		if err == nil {
			t.Error("written, though it is only read")
		}
	}
	if got := found(t, r, 0); got == nil || r.Outcome() != "done" {
		t.Errorf("read %+v, %s", got, r.Outcome())
	}
	if got := found(t, r, 1); got != nil {
		t.Errorf("read %+v", got)
	}
	if _, err := Open(path, testKey()); !errors.As(err, new(*LockedError)) {
		t.Errorf("opened while it is read: %v", err)
	}
	must(t, other.Close())
	must(t, r.Close())
	after, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(before, after) {
		t.Error("the file has changed")
	}
	if _, err := os.Stat(path + walSuffix); err == nil {
		t.Error("there is a log now")
	}
}

func TestConcurrentCallersShareTheJournal(t *testing.T) {
	j, path := newJournal(t)
	const workers, each, rows = 8, 20, 50
	var wg sync.WaitGroup
	for w := range int64(workers) {
		wg.Go(func() {
			for i := range int64(each) {
				seq := i*workers + w
				if err := work(j, seq, rows); err != nil {
					t.Errorf("chunk %d: %v", seq, err)
				}
			}
		})
	}
	wg.Wait()
	j = reopened(t, j, path)
	n := int64(0)
	for e, err := range j.Entries {
		must(t, err)
		want := settlementOf(n, rows)
		if diff := cmp.Diff(tell(&Entry{Chunk: chunkOf(n, rows), State: Settled, Settlement: want}), tell(e)); diff != "" {
			t.Fatalf("-want +got\n%s", diff)
		}
		n++
	}
	if n != workers*each {
		t.Errorf("%d chunks", n)
	}
}

// work is what a worker does with a chunk, with a look after each step.
func work(j *Journal, seq int64, rows int) error {
	state := func(want State) error {
		e, err := j.Find(seq)
		if err == nil && (e == nil || e.State != want) {
			err = fmt.Errorf("found %+v, want state %d", e, want)
		}
		return err
	}
	return errors.Join(j.Plan(chunkOf(seq, rows)), state(Planned), j.Sending(seq, []int32{0, 1, 2}, []byte("image")), state(Sending),
		j.Settle(seq, settlementOf(seq, rows)), state(Settled))
}

func TestMistakesOfTheCallerEndTheJournal(t *testing.T) {
	tests := map[string]func(*Journal) error{
		"not planned":       func(j *Journal) error { return j.Sending(1, []int32{0}, nil) },
		"rows it has not":   func(j *Journal) error { return j.Sending(0, []int32{1, 2}, nil) },
		"settled unplanned": func(j *Journal) error { return j.Settle(1, Settlement{}) },
		"fates of others":   func(j *Journal) error { return j.Settle(0, Settlement{Fates: make([]pipeline.Fate, 3)}) },
		"ids of other rows": func(j *Journal) error {
			return j.Settle(0, Settlement{Fates: make([]pipeline.Fate, 2), IDs: column("a")})
		},
		"sums of other rows": func(j *Journal) error {
			return j.Settle(0, Settlement{Fates: make([]pipeline.Fate, 2), Sums: []uint64{1}})
		},
		"another chunk": func(j *Journal) error {
			other := chunkOf(0, 2)
			other.Digest = nil
			return errors.Join(j.Sending(0, []int32{0}, nil), j.Plan(other))
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			j, _ := newJournal(t)
			must(t, j.Plan(chunkOf(0, 2)))
			first := errors.Join(test(j), j.Finish("done")) // which waits for what was queued
			if first == nil || !strings.Contains(first.Error(), "chunk ") {
				t.Fatalf("taken, or no chunk named: %v", first)
			}
			if err := j.Plan(chunkOf(5, 1)); err == nil || !strings.Contains(first.Error(), err.Error()) {
				t.Errorf("after %v: %v", first, err)
			}
			if _, err := j.Find(0); err == nil {
				t.Error("still read")
			}
			closed := j.Close()
			if again := j.Close(); closed == nil || again != closed {
				t.Errorf("closed: %v, and again: %v", closed, again)
			}
		})
	}
}

func TestClosedJournalTakesNothing(t *testing.T) {
	j, path := newJournal(t)
	must(t, j.Close())
	must(t, j.Close())
	if err := j.Sending(0, nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("sending: %v", err)
	}
	for _, name := range []string{path + walSuffix, path + "-shm", path + "-journal", path + ".new"} {
		if _, err := os.Lstat(name); err == nil {
			t.Errorf("%s is left", filepath.Base(name))
		}
	}
	if _, err := Create(path, testHeader(), testKey()); !errors.Is(err, os.ErrExist) {
		t.Errorf("made over another: %v", err)
	}
}
