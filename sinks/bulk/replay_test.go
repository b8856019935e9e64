package bulk

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline/pipelinetest"
)

// killed is what a process dies of in these tests.
type killed struct{ point string }

// reaper kills at a point, the n-th that is passed.
type reaper struct {
	left   int
	points int
}

func (k *reaper) pass(point string) {
	k.points++
	if k.left--; k.left == 0 {
		panic(killed{point})
	}
}

// live makes a pass that dies at the n-th point, and reports where, or "".
func (r *trial) live(t *testing.T, n int) (point string) {
	t.Helper()
	k := &reaper{left: n}
	m := r.journal.(*memory)
	r.api.pass, m.pass = k.pass, k.pass
	defer func() {
		r.api.pass, m.pass = func(string) {}, func(string) {}
		if died, ok := recover().(killed); ok {
			point = died.point
		}
	}()
	if _, err := r.pass(t, r.sink(t)); err != nil {
		t.Fatalf("the run cannot go on: %v", err)
	}
	return ""
}

// replayed is a run that is killed wherever it can be.
type replayed struct {
	name  string
	setup func() *trial
	noIDs bool // of rows that are written where others are refused
}

func replays() []replayed {
	upserts := func() [][][]string {
		return [][][]string{
			{row(0), row(1, "name", "New 1"), row(40, "id", pipelinetest.Null), row(2, "id", pipelinetest.Null, "name", "New 2"), row(41, "id", pipelinetest.Null), row(3, "id", pipelinetest.Null)},
			{row(42, "id", pipelinetest.Null), row(4, "name", "New 4"), row(5, "name", "New 5"), row(43, "id", pipelinetest.Null, "name", "bad"), row(6)},
		}
	}
	updates := func() [][][]string {
		return [][][]string{
			{row(0, "name", "New 0"), row(1, "name", "New 1"), row(2), row(90, "name", "gone")},
			{row(50, "id", pipelinetest.Null), row(3, "name", "New 3"), row(51, "id", pipelinetest.Null)},
		}
	}
	of := func(o ImportOptions, detail, partial bool, there int, chunks func() [][][]string) func() *trial {
		return func() *trial {
			g := newRegister(there)
			g.detail, g.partial = detail, partial
			o.Settle = 30 * time.Second
			return &trial{api: g, options: o, journal: newMemory(), chunks: chunks()}
		}
	}
	rows := func(bad ...int) func() [][][]string {
		return func() [][][]string { return creates(0, 3, 4, bad...) }
	}
	search := func() [][][]string { return creates(0, 1, 14, 3, 10) }
	some := func() [][][]string {
		return [][][]string{
			{rowOf(0, ""), rowOf(20, ""), rowOf(1, "Other"), rowOf(21, "bad"), rowOf(22, "")},
			{rowOf(23, ""), rowOf(2, ""), rowOf(3, "Other"), rowOf(24, "")},
		}
	}
	single := func() [][][]string { return creates(9, 1, 3) }
	return []replayed{
		{name: "creates, unknown atomicity", setup: of(ImportOptions{}, true, false, 0, rows(5))},
		{name: "creates, unknown atomicity, some written", setup: of(ImportOptions{}, true, true, 0, rows(5, 11))},
		{name: "creates, unknown atomicity, no detail", setup: of(ImportOptions{}, false, false, 0, rows(6))},
		{name: "creates, unknown atomicity, no detail, some written", setup: of(ImportOptions{}, false, true, 0, rows(6))},
		{name: "creates, all or nothing", setup: of(ImportOptions{Atomicity: AllOrNothing}, false, false, 0, rows(5))},
		{name: "creates, all or nothing, detail", setup: of(ImportOptions{Atomicity: AllOrNothing}, true, false, 0, rows(5))},
		{name: "creates, partial", setup: of(ImportOptions{Atomicity: PartialWrites}, true, true, 0, rows(5)), noIDs: true},
		{name: "a search, all or nothing", setup: of(ImportOptions{Atomicity: AllOrNothing}, false, false, 0, search)},
		{name: "a search, some written", setup: of(ImportOptions{}, false, true, 0, search)},
		{name: "skip existing", setup: of(ImportOptions{Target: Target{Mode: CreateOnly, SkipExisting: true}}, true, false, 5, some)},
		{name: "one chunk into an API with records", setup: of(ImportOptions{}, true, false, 3, single)},
		{name: "upsert", setup: of(ImportOptions{Target: Target{Mode: Upsert}}, true, false, 8, upserts)},
		{name: "upsert, undoable", setup: of(ImportOptions{Target: Target{Mode: Upsert}, Undoable: true}, true, false, 8, upserts)},
		{name: "changes by id", setup: of(ImportOptions{Undoable: true}, true, false, 8, updates)},
	}
}

// TestReplayAfterEveryDeath kills a run before and after everything that it does
// to the journal and to the API, once and twice, and goes on until it is done:
// the API has every valid row once, and what is recorded is what a run records
// that nothing happened to.
func TestReplayAfterEveryDeath(t *testing.T) {
	for _, test := range replays() {
		t.Run(test.name, func(t *testing.T) {
			var want []made
			points := 0
			synctest.Test(t, func(t *testing.T) {
				r := test.setup()
				k := &reaper{}
				r.api.pass, r.journal.(*memory).pass = k.pass, k.pass
				want = r.finish(t)
				points = k.points
			})
			if points < 10 {
				t.Fatalf("%d points", points)
			}
			for n := 1; n <= points; n++ {
				for _, second := range []int{0, 3 + n%11} {
					for _, loses := range []bool{false, true} {
						synctest.Test(t, func(t *testing.T) { test.die(t, n, second, loses, want) })
					}
				}
			}
		})
	}
}

// die kills a run at the n-th point, and again at the point second of the next
// pass, and holds what the last pass makes against want.
func (test *replayed) die(t *testing.T, n, second int, loses bool, want []made) {
	t.Helper()
	r := test.setup()
	m := r.journal.(*memory)
	end := func() {
		if loses {
			m.crash()
		}
	}
	where := r.live(t, n)
	end()
	if second > 0 {
		where += ", then " + r.live(t, second)
		end()
	}
	got := r.finish(t)
	name := fmt.Sprintf("killed at %d, %s, losing what was not durable: %v", n, where, loses)
	for i := range want {
		a, b := test.text(&want[i]), test.text(&got[i])
		if a != b {
			t.Errorf("%s: chunk %d\ngot\n%s\nwant\n%s", name, i, b, a)
		}
	}
	r.wantHeld(t, name)
}

// TestReplayUnderRandomFaults has requests lost, answered late and carried out
// late, a list that lags and shows nothing at times, and deaths, all at random:
// in the end the API has every valid row once.
func TestReplayUnderRandomFaults(t *testing.T) {
	const settle = 30 * time.Second
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 5))
			chance := func(percent int) bool { return random.IntN(100) < percent }
			g := newRegister(random.IntN(2) * 6)
			mode := []Mode{CreateOnly, Upsert}[random.IntN(2)]
			g.detail, g.partial = chance(50), chance(50)
			if mode == CreateOnly && chance(50) { // an upsert stops where the list is far behind
				g.lag = time.Duration(random.IntN(12)) * time.Second
			}
			calm := false
			g.reset = func(int) bool { return !calm && chance(15) }
			g.late = func(int) time.Duration {
				if calm || !chance(15) {
					return 0
				}
				return 1 + time.Duration(random.Int64N(int64(12*time.Second)))
			}
			g.empty = func(int) bool { return !calm && chance(10) }
			m := newMemory()
			r := &trial{api: g, journal: m, chunks: creates(100, 4, 6, 100+random.IntN(24), 100+random.IntN(24)),
				options: ImportOptions{Target: Target{Mode: mode}, Settle: settle}}
			for range 6 {
				r.try(t, 1+random.IntN(60))
				if chance(50) {
					m.crash()
				}
			}
			calm = true
			r.finish(t)
			time.Sleep(time.Minute)
			r.wantHeld(t, fmt.Sprintf("seed %d", seed))
		})
	}
}

// TestReplayWithoutKeysSendsNothingTwice is TestReplayUnderRandomFaults with rows
// that cannot be looked up: what is not known stays in doubt, and no row is there
// twice.
func TestReplayWithoutKeysSendsNothingTwice(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			chance := func(percent int) bool { return random.IntN(100) < percent }
			g := newRegister(0)
			g.detail = chance(50)
			calm := false
			g.reset = func(int) bool { return !calm && chance(15) }
			m := newMemory()
			r := &trial{api: g, journal: m, chunks: creates(100, 4, 6, 100+random.IntN(24)), noKey: true,
				options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second, Atomicity: AllOrNothing}}
			for range 4 {
				r.try(t, 1+random.IntN(30))
				if chance(50) {
					m.crash()
				}
			}
			calm = true
			for i, made := range r.finish(t) {
				for j, fate := range strings.Split(made.fates, ", ") {
					key := r.chunks[i][j][2]
					switch n := g.times(key); {
					case n > 1, fate == "written" && n != 1, fate != "written" && fate != "in_doubt" && n != 0:
						t.Errorf("seed %d: %s is %s and there %d times", seed, key, fate, n)
					}
				}
			}
		})
	}
}

// try makes a pass that dies at the n-th point, or at an error.
func (r *trial) try(t *testing.T, n int) {
	t.Helper()
	k := &reaper{left: n}
	m := r.journal.(*memory)
	r.api.pass, m.pass = k.pass, k.pass
	defer func() {
		r.api.pass, m.pass = func(string) {}, func(string) {}
		if died := recover(); died != nil {
			_ = died.(killed)
		}
	}()
	_, _ = r.pass(t, r.sink(t))
}

// wantHeld checks that each row that could be written is there once, as it is.
func (r *trial) wantHeld(t *testing.T, name string) {
	t.Helper()
	for _, rows := range r.chunks {
		for _, row := range rows {
			key, want := row[2], 1
			if row[0] == "bad" || row[0] == "gone" {
				want = 0
			}
			if n := r.api.times(key); n != want || r.api.sent[key] != want {
				t.Errorf("%s: %s is there %d times, want %d; made %d times", name, key, n, want, r.api.sent[key])
			}
		}
	}
}

// text is everything that m says.
func (test *replayed) text(m *made) string {
	written := string(m.record.Written)
	if test.noIDs {
		var out []string
		for line := range strings.Lines(written) {
			cells := strings.Split(line, ";")
			cells[2] = ""
			out = append(out, strings.Join(cells, ";"))
		}
		written = strings.Join(out, "")
	}
	return m.fates + "\n" + string(m.record.Rejects) + string(m.record.InDoubt) + written
}
