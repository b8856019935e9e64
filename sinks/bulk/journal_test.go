package bulk

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/journal"
	"flytt/pipeline"
)

func TestNotesComeBackAsTheyWere(t *testing.T) {
	problems := []pipeline.Problem{
		{Row: 7, Field: pipeline.None, Column: pipeline.None, Stage: pipeline.Write, Code: codeRefused, Private: "name: \x00å;\n"},
		{Row: 0, Field: 3, Column: 300, Severity: pipeline.Warning, Stage: pipeline.Write, Code: codeStoredOtherwise, Shape: "12 digits"},
		{Row: 7, Field: 0, Column: 0, Severity: pipeline.Repair, Stage: pipeline.Validate},
	}
	for name, want := range map[string]notes{
		"what version 1 has room for": {problems: problems, downgraded: []int32{2, 7}},
		"all": {problems: problems, downgraded: []int32{2, 7}, unshown: []int32{0, 8}, unread: []int32{8}, unmatchedIDs: []string{"a", ""},
			stored: deviations{3: {{"email", 7, 0}, {"name", 1 << 63, 5}}, 9: {{"email", 1, 1 << 63}}}},
	} {
		data := want.append(nil)
		got, err := readNotes(data, 10)
		if err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(notes{}, deviation{})); diff != "" {
			t.Error(name, diff)
		}
		for n := 1; n < len(data); n++ {
			if got, err := readNotes(data[:n], 10); err == nil && len(got.problems) == len(problems) {
				t.Errorf("%s: cut at %d: read whole", name, n)
			}
		}
		if _, err := readNotes(data, 7); !errors.Is(err, errNotes) {
			t.Errorf("%s: rows that the chunk does not have: %v", name, err)
		}
	}
	if len((&notes{}).append(nil)) > 0 {
		t.Error("nothing said is something")
	}
	if data := (&notes{problems: problems}).append(nil); data[0] != 1 {
		t.Errorf("version %d, which older programs cannot read", data[0])
	}
}

func FuzzReadNotes(f *testing.F) {
	n := notes{problems: []pipeline.Problem{{Row: 1, Code: codeRefused, Private: "x"}}, downgraded: []int32{0}}
	f.Add(n.append(nil))
	n.unshown, n.stored, n.unmatchedIDs = []int32{1}, deviations{2: {{"email", 3, 4}}}, []string{"id"}
	f.Add(n.append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := readNotes(data, 4)
		if err != nil {
			return
		}
		for _, p := range n.problems {
			if p.Row < 0 || p.Row >= 4 {
				t.Errorf("row %d", p.Row)
			}
		}
		for _, row := range slices.Concat(n.downgraded, n.unshown, slices.Collect(maps.Keys(n.stored))) {
			if row < 0 || row >= 4 {
				t.Errorf("row %d", row)
			}
		}
	})
}

func FuzzReadImage(f *testing.F) {
	f.Add([]byte{imageVersion, imagePlain, 1, 3, 1, 'x', 1, 2, 3, 4, 5, 6, 7, 8, 2, '{', '}'})
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ReadImage(data, func(b []byte) ([]byte, error) { return b, nil })
		if err == nil && len(list) > len(data) {
			t.Errorf("%d records of %d bytes", len(list), len(data))
		}
	})
}

// reversed is an encryption that tests see through.
func reversed(data []byte) ([]byte, error) {
	out := bytes.Clone(data)
	for i := range out {
		out[i] = ^out[i]
	}
	return out, nil
}

// TestImagesKeepWhatRecordsHeld changes two records and reads what they held from
// the journal.
func TestImagesKeepWhatRecordsHeld(t *testing.T) {
	for _, test := range []struct {
		name     string
		undoable bool
		seal     func([]byte) ([]byte, error)
		open     func([]byte) ([]byte, error)
		kept     bool
	}{
		{"plain", true, nil, nil, true},
		{"sealed", true, reversed, reversed, true},
		{"sealed, without the key", true, reversed, nil, false},
		{"not undoable", false, nil, nil, false},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			m := newMemory()
			r := &trial{api: newRegister(4), journal: m, chunks: [][][]string{{row(0), row(1, "name", "New"), row(2), row(3, "title", "Dr")}},
				options: ImportOptions{Undoable: test.undoable, SealImage: test.seal}}
			r.first(t)
			if m.sends != 1 || len(m.images[0]) != 1 {
				t.Fatalf("%d times on record, %d images", m.sends, len(m.images[0]))
			}
			if data := m.images[0][0].Data; bytes.Contains(data, []byte("Ada")) != (test.undoable && test.seal == nil) {
				t.Errorf("the image is %q", data)
			}
			list, err := ReadImage(m.images[0][0].Data, test.open)
			if err != nil || len(list) != 2 {
				t.Fatalf("%+v, %v", list, err)
			}
			for i, n := range []int{1, 3} {
				b := list[i]
				var record map[string]any
				if test.kept {
					if err := json.Unmarshal(b.Record, &record); err != nil {
						t.Error(err)
					}
				}
				if b.Row != int32(n) || b.ID != recordID(n) || b.Held == 0 || (b.Record != nil) != test.kept || test.kept && record["name"] != r.api.records[n]["name"] && n != 1 {
					t.Errorf("%+v", b)
				}
			}
		})
	}
}

// TestAPassOverWhatIsSettledAsksNothing goes over a finished run once more.
func TestAPassOverWhatIsSettledAsksNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := &trial{api: newRegister(0), journal: m, chunks: creates(0, 3, 4, 2), options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Hour}}
		r.api.detail = true
		first, _ := r.first(t)
		m.flush()
		asked, noted := r.api.posts+r.api.gets, m.sends+m.settles
		began := time.Now()
		again, _ := r.first(t)
		m.flush()
		if diff := cmp.Diff(first, again); diff != "" {
			t.Error(diff)
		}
		if n := r.api.posts + r.api.gets - asked; n != 0 || m.sends+m.settles != noted || time.Since(began) > 0 {
			t.Errorf("%d requests, %d notes, %v", n, m.sends+m.settles-noted, time.Since(began))
		}
	})
}

// TestEveryPartOfARefusedChunkIsOnRecord bisects a chunk: what became of the parts
// so far is on record before the next one is sent.
func TestEveryPartOfARefusedChunkIsOnRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := &trial{api: newRegister(0), journal: m, chunks: creates(0, 1, 64, 40), noKey: true,
			options: ImportOptions{Target: Target{Mode: CreateOnly}, Atomicity: AllOrNothing}}
		r.api.pass = func(point string) {
			if point != http.MethodPost || r.api.posts == 0 {
				return
			}
			e, _ := m.Find(0)
			if len(e.Sent) == 64 || len(e.Fates) != 64 {
				t.Errorf("request %d: %d rows are being sent, %d have a fate", r.api.posts+1, len(e.Sent), len(e.Fates))
			}
		}
		r.first(t)
		if r.api.posts < 5 || m.sends != r.api.posts {
			t.Errorf("%d requests, %d times on record", r.api.posts, m.sends)
		}
	})
}

// discard is a journal that computes what a journal computes and keeps nothing.
type discard struct{ *memory }

func (discard) Find(int64) (*journal.Entry, error)     { return nil, nil }
func (discard) Plan(journal.Chunk) error               { return nil }
func (discard) Sending(int64, []int32, []byte) error   { return nil }
func (discard) Settle(int64, journal.Settlement) error { return nil }

// BenchmarkBulkWriteJournalled is BenchmarkBulkWrite with a journal that costs
// nothing but its digests.
func BenchmarkBulkWriteJournalled(b *testing.B) {
	s := bulkTo(b, "https://x.se", echo{}, ImportOptions{Journal: discard{newMemory()}})
	c := bulkChunk(b, s, 0, 500)
	b.SetBytes(int64(len(c.Data)))
	b.ReportAllocs()
	for b.Loop() {
		for i := range c.Fates {
			c.Fates[i] = pipeline.Pending
		}
		if err := s.Write(b.Context(), c); err != nil || c.Fates[499] != pipeline.Written {
			b.Fatal(err, fates(c))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/row")
}

// TestPardonsComeBackFromTheJournal has rows whose faults are pardoned, or not,
// and warnings: a later pass says just what the first has said.
func TestPardonsComeBackFromTheJournal(t *testing.T) {
	a := withRecords(4)
	a.records[1]["ssn"], a.records[2]["ssn"] = "12", "12"
	m := newMemory()
	pass := func() *pipeline.Chunk {
		s := updateTo(t, a, ImportOptions{Comparison: Comparison{Columns: []int16{0, 1, 2, 3, 4, 5}, ReadOnly: []Cell{{Column: 5, Field: "title"}}}, Journal: m})
		rows := [][]string{row(1, "ssn", "12"), row(2, "ssn", "13"), row(3, "name", "New"), row(9)}
		cells := [][]string{row(1, "ssn", "12"), row(2, "ssn", "13"), row(3, "name", "New", "title", "edited"), row(9)}
		return flawedChunk(t, s, cells, rows, fault(0, pipeline.Validate, "too_short"), fault(1, pipeline.Validate, "too_short"))
	}
	first := pass()
	wantSequence(t, first, "unchanged too_short, rejected too_short, updated read_only_cell, rejected not_found")
	m.flush()
	sent := a.sent()
	again := pass()
	if diff := cmp.Diff(first.Problems, again.Problems); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(first.Fates, again.Fates); diff != "" {
		t.Error(diff)
	}
	if a.sent() != sent {
		t.Errorf("sent again: %s", a.sent())
	}
}

// TestSharedKeysAreNotLookedUp has the API refuse a request without a word: the
// rows whose keys others have, too, cannot be told apart.
func TestSharedKeysAreNotLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &trial{api: newRegister(0), journal: newMemory(), chunks: creates(0, 1, 8, 6),
			options: ImportOptions{Target: Target{Mode: CreateOnly, Shared: func(row int64) bool { return row == 5 }}, Settle: time.Second}}
		r.api.partial = true
		fates, s := r.first(t)
		want := "written, written, written, in_doubt, written, written, rejected refused, written"
		if fates[0] != want || s.Resolvable() {
			t.Errorf("got  %s, resolvable %v\nwant %s", fates[0], s.Resolvable(), want)
		}
		if out := r.finish(t); out[0].fates != want || r.api.times("K-3") != 1 {
			t.Errorf("later: %s", out[0].fates)
		}
	})
}

// TestADeadAPIIsAskedForBeforeMoreIsSent has an API whose requests all end in
// doubt: after a few it is asked whether it is there.
func TestADeadAPIIsAskedForBeforeMoreIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.late = func(int) time.Duration { return 48 * time.Hour }
		var reads []int // at each request
		g.pass = func(point string) {
			if point == http.MethodPost {
				reads = append(reads, g.gets)
			}
		}
		r := &trial{api: g, journal: newMemory(), chunks: creates(0, 6, 1), options: ImportOptions{Target: Target{Mode: CreateOnly}, Atomicity: AllOrNothing}, noKey: true}
		r.first(t)
		if len(reads) != 6 || reads[aliveAfter-1] != 0 || reads[aliveAfter] == 0 {
			t.Errorf("reads before each request: %v", reads)
		}
	})
}

// TestAKillLeavesOnlyOneRequestInDoubt ends the process at the last of several
// requests with the rows of one chunk, which nobody can look up: what was answered
// before is on record.
func TestAKillLeavesOnlyOneRequestInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newRegister(0)
		g.pass = func(point string) {
			if point == http.MethodPost && g.posts == 2 {
				panic(killed{point})
			}
		}
		r := &trial{api: g, journal: newMemory(), chunks: creates(100, 1, 12), noKey: true,
			options: ImportOptions{Target: Target{Mode: CreateOnly}, Limits: Limits{MaxBytes: 600}, Settle: time.Second}}
		func() {
			defer func() { _ = recover() }()
			r.first(t)
		}()
		g.pass = func(string) {}
		fates, _ := r.first(t)
		if want := each("written", 10) + ", " + each("in_doubt", 2); fates[0] != want {
			t.Errorf("got  %s\nwant %s", fates[0], want)
		}
	})
}
