package bulk

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flytt/internal/journal"
	"flytt/pipeline"
)

var _ Journal = (*journal.Journal)(nil)

// seen is a journal that tells of every call, as memory does.
type seen struct {
	*journal.Journal
	pass func(point string)
}

func (s seen) Plan(c journal.Chunk) error {
	s.pass("plan")
	defer s.pass("planned")
	return s.Journal.Plan(c)
}

func (s seen) Sending(seq int64, rows []int32, image []byte) error {
	s.pass("sending")
	if err := s.Journal.Sending(seq, rows, image); err != nil {
		return err
	}
	s.pass("sent")
	return nil
}

func (s seen) Settle(seq int64, settlement journal.Settlement) error {
	s.pass("settle")
	if err := s.Journal.Settle(seq, settlement); err != nil {
		return err
	}
	s.pass("settled")
	return nil
}

// copyJournal copies what a process that is killed now would leave of the journal
// in the directory from, and returns the path of the copy.
func copyJournal(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	names, err := filepath.Glob(filepath.Join(from, "journal.db*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no journal: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(name)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(to, "journal.db")
}

// TestReplayWithAJournalOnDisk is TestReplayAfterEveryDeath with the journal that
// runs have, as it is on the disk at the moment of death.
func TestReplayWithAJournalOnDisk(t *testing.T) {
	key, err := journal.LoadKey(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range replays() {
		if !strings.Contains(test.name, "undoable") && !strings.HasSuffix(test.name, "detail, some written") {
			continue // these two have it all
		}
		t.Run(test.name, func(t *testing.T) {
			undisturbed := onDisk(t, &test, key, 0)
			if undisturbed.points < 10 {
				t.Fatalf("%d points", undisturbed.points)
			}
			for n := 1; n <= undisturbed.points; n += 3 {
				got := onDisk(t, &test, key, n)
				for i := range undisturbed.made {
					if a, b := test.text(&undisturbed.made[i]), test.text(&got.made[i]); a != b {
						t.Errorf("killed at %d, %s: chunk %d\ngot\n%s\nwant\n%s", n, got.where, i, b, a)
					}
				}
			}
		})
	}
}

// replay is how a run went.
type replay struct {
	made   []made
	points int
	where  string
}

// onDisk makes a run that dies at the n-th point, unless that is 0, and goes on
// until it is done.
func onDisk(t *testing.T, test *replayed, key *journal.Key, n int) (out replay) {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Create(filepath.Join(dir, "journal.db"), journal.Header{Run: "test", Began: time.Now()}, key)
	if err != nil {
		t.Fatal(err)
	}
	r := test.setup()
	r.options.Settle = 4 * time.Millisecond
	k := &reaper{left: n}
	r.api.pass, r.journal = k.pass, seen{j, k.pass}
	path := ""
	func() {
		defer func() {
			if died, ok := recover().(killed); ok {
				out.where, path = died.point, copyJournal(t, dir)
			}
		}()
		out.made, err = r.pass(t, r.sink(t))
	}()
	if err != nil {
		t.Fatal(err)
	}
	out.points = k.points
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if path == "" {
		return out
	}
	if j, err = journal.Open(path, key); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	r.api.pass, r.journal = func(string) {}, j
	out.made = r.finish(t)
	r.wantHeld(t, fmt.Sprintf("killed at %d, %s", n, out.where))
	return out
}

// BenchmarkBulkWriteOnDisk is BenchmarkBulkWrite with a journal on disk and eight
// chunks under way at once.
func BenchmarkBulkWriteOnDisk(b *testing.B) {
	for name, journalled := range map[string]bool{"none": false, "journal": true} {
		b.Run(name, func(b *testing.B) {
			o := ImportOptions{}
			if journalled {
				key, err := journal.LoadKey(filepath.Join(b.TempDir(), "key"))
				if err != nil {
					b.Fatal(err)
				}
				j, err := journal.Create(filepath.Join(b.TempDir(), "journal.db"), journal.Header{Run: "test"}, key)
				if err != nil {
					b.Fatal(err)
				}
				defer j.Close()
				o.Journal = j
			}
			s := bulkTo(b, "https://x.se", echo{}, o)
			var seq atomic.Int64
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				c := bulkChunk(b, s, 0, 500)
				for pb.Next() {
					c.Seq = seq.Add(1)
					for i := range c.Fates {
						c.Fates[i] = pipeline.Pending
					}
					if err := s.Write(b.Context(), c); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/row")
		})
	}
}
