package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/internal/sandbox"
	"flytt/mappings"
	"flytt/pipeline"
)

// TestPlanIsWhatImportDoesWhereTheAPIRewrites holds a plan to an import, and to its apply,
// against an API that stores some fields in another form: where the settings say so, and
// where the import is like an earlier one.
func TestPlanIsWhatImportDoesWhereTheAPIRewrites(t *testing.T) {
	seeds := 8
	if testing.Short() {
		seeds = 4
	}
	for seed := range seeds {
		declared, applies := seed%2 == 0, seed%4 < 2
		t.Run(fmt.Sprintf("declared %t, apply %t, %d", declared, applies, seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, uint64(seed)))
			r := sandboxWith(t, sandbox.Options{Storage: sandbox.Storage{Rewrites: sandbox.MustParseRewrites("email:upper", "title:upper")}})
			exported(t, r, 14)
			register := randomRegister(rng, records(t, "contacts.csv"))
			write(t, "in.csv", register)
			flags := []string{"in.csv", "--chunk-rows", "7", "--concurrency", "1", "--mode", "upsert"}
			runs(t, append([]string{"import", "--run-dir", "earlier"}, flags...)...)
			write(t, "in.csv", someChanged(rng, register))
			if declared {
				write(t, "flytt.yaml", "compare: {email: upper, title: upper}\n")
			} else {
				flags = append(flags, "--like", "earlier")
			}
			code := planOf(t, flags)
			said := actions(records(t, filepath.Join("plan", "plan.csv")))
			r.sent()
			var s *report.Summary
			if applies {
				s = flytt(t, code, "apply", "plan", "--run-dir", "run", "--concurrency", "1")
			} else {
				s = flytt(t, code, append([]string{"import", "--run-dir", "run"}, flags...)...)
			}
			wantSame(t, s.Verb, said, done(t, "run"))
			if s.Rows.Unchanged == 0 {
				t.Error("all rows are sent again")
			}
			patches, _ := r.sent()
			for _, patch := range patches {
				if !strings.Contains(patch, "Changed") {
					t.Errorf("sent again: %s", patch)
				}
			}
		})
	}
}

// runs runs flytt, which rejects some rows.
func runs(t *testing.T, args ...string) {
	t.Helper()
	var stdout, stderr strings.Builder
	if code := execute(args, strings.NewReader(""), &stdout, &stderr); code != exitDone && code != exitRejects {
		t.Fatalf("exit code %d\n%s\n%s", code, &stdout, &stderr)
	}
}

// someChanged returns a register in which some rows have another name.
func someChanged(rng *rand.Rand, register string) string {
	lines := strings.Split(register, "\n")
	for i := range lines {
		if rng.IntN(3) == 0 {
			lines[i] = strings.Replace(lines[i], ",Person ", ",Changed ", 1)
		}
	}
	return strings.Join(lines, "\n")
}

// TestLikeIsOfTheSameResource refuses a run of another one.
func TestLikeIsOfTheSameResource(t *testing.T) {
	j := &job{resource: &mappings.Resource{Name: "tenant"}}
	err := j.likeTarget("run1", &journal.Header{Resource: "apartment"})
	if err == nil || err.Error() != "--like run1: it wrote apartment, and these rows are tenant" || exitCode(err) != exitUsage {
		t.Errorf("error %v", err)
	}
}

// TestLikeOfALargeRun reads what a run with 200,000 values stored otherwise has on record:
// memory does not grow with it.
func TestLikeOfALargeRun(t *testing.T) {
	const rows, perChunk = 200_000, 500
	t.Chdir(t.TempDir())
	t.Setenv("FLYTT_KEY_DIR", t.TempDir())
	key, err := loadKey()
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir()
	jr, err := journal.Create(filepath.Join(path, "journal.db"), journal.Header{Verb: "import", Resource: "tenant", Began: time.Now()}, key)
	if err != nil {
		t.Fatal(err)
	}
	for seq := range int64(rows / perChunk) {
		if err := jr.Plan(journal.Chunk{Seq: seq, First: seq*perChunk + 1, Last: (seq + 1) * perChunk, Rows: perChunk}); err != nil {
			t.Fatal(err)
		}
		fates := make([]pipeline.Fate, perChunk)
		for i := range fates {
			fates[i] = pipeline.Written
		}
		if err := jr.Settle(seq, journal.Settlement{Fates: fates, Notes: notesWithPairs(seq*perChunk, perChunk)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := jr.Close(); err != nil {
		t.Fatal(err)
	}

	dir, err := report.NewDir(filepath.Join(t.TempDir(), "run"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	before := heapInUse()
	j := &job{dir: dir, resource: &mappings.Resource{Name: "tenant"}, writing: &writing{}}
	if err := j.openPairs([]*pastRun{{path: path}}); err != nil {
		t.Fatal(err)
	}
	if grown := heapInUse() - before; grown > 1<<20 {
		t.Errorf("%d bytes of memory for %d values", grown, rows)
	}
	for pair, want := range map[uint64]bool{pairNumber(0): true, pairNumber(rows / 2): true, pairNumber(rows - 1): true, pairNumber(rows): false} {
		if has, err := j.writing.stored.Has(pair); err != nil || has != want {
			t.Errorf("%d: %t (%v), want %t", pair, has, err, want)
		}
	}
	if err := j.close(); err != nil {
		t.Error(err)
	}
	if _, err := j.writing.stored.Has(pairNumber(0)); err == nil || exitCode(err) != exitFatal {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// pairNumber returns the n-th of many different numbers.
func pairNumber(n int64) uint64 { return uint64(n+1) * 0x9e3779b97f4a7c15 }

// notesWithPairs returns what the sink has the journal keep of a chunk of rows each of
// which has one value that was stored otherwise, with numbers from first on.
func notesWithPairs(first int64, rows int) []byte {
	notes := []byte{2, 0, 0, 0} // version, rows pardoned, rows not shown, those to be read
	notes = binary.AppendUvarint(notes, uint64(rows))
	for row := range rows {
		notes = binary.AppendUvarint(notes, uint64(row))
		notes = append(append(notes, 5), "email"...)
		notes = binary.LittleEndian.AppendUint64(notes, pairNumber(first+int64(row)))
		notes = binary.LittleEndian.AppendUint64(notes, 0) // nothing was added or cut
	}
	return append(notes, 0) // records that no row was matched with
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
