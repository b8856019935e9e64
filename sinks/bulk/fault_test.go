package bulk

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline/pipelinetest"
)

// first makes the first pass of a run and returns its fates, chunk by chunk.
func (r *trial) first(t *testing.T) (fates []string, s *Import) {
	t.Helper()
	s = r.sink(t)
	out, err := r.pass(t, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range out {
		fates = append(fates, m.fates)
	}
	return fates, s
}

// each returns n times fate, as a sequence shows it.
func each(fate string, n int) string {
	return strings.TrimSuffix(strings.Repeat(fate+", ", n), ", ")
}

// TestFault01CommitThenReset has the API carry the k-th request out and reset its
// connection: every row is there once, and none is lost.
func TestFault01CommitThenReset(t *testing.T) {
	for _, mode := range []Mode{CreateOnly, Upsert} {
		for k := 1; k <= 5; k++ {
			synctest.Test(t, func(t *testing.T) {
				g := newRegister(0)
				g.reset = func(post int) bool { return post == k }
				r := &trial{api: g, journal: newMemory(), chunks: creates(0, 4, 5),
					options: ImportOptions{Target: Target{Mode: mode}, Settle: time.Hour}}
				began := time.Now()
				fates, s := r.first(t)
				for i, got := range fates {
					if want := each("written", 5); got != want {
						t.Errorf("mode %v, request %d, chunk %d: %s", mode, k, i, got)
					}
				}
				if s.Resolvable() || time.Since(began) > time.Minute {
					t.Errorf("mode %v, request %d: in doubt for %v", mode, k, time.Since(began))
				}
				r.wantOnce(t)
			})
		}
	}
}

// TestFault02LateCommit has the API carry a request out seconds after it has reset
// its connection. Who looks too soon does not see the rows, and would make them
// twice: it is the time to settle that prevents that.
func TestFault02LateCommit(t *testing.T) {
	for _, test := range []struct {
		name        string
		late        time.Duration
		settle      time.Duration
		duplicate   bool
		atLeastTook time.Duration
	}{
		{"settles", 5 * time.Second, 8 * time.Second, false, 8 * time.Second},
		{"settles, late as can be", 9 * time.Second, 10 * time.Second, false, 10 * time.Second},
		{"looks at once", 5 * time.Second, 0, true, 0},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			g := newRegister(0)
			g.late = func(post int) time.Duration {
				if post == 3 {
					return test.late
				}
				return 0
			}
			r := &trial{api: g, journal: newMemory(), chunks: creates(0, 3, 5),
				options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: test.settle}}
			began := time.Now()
			fates, s := r.first(t)
			if took := time.Since(began); took > time.Second {
				t.Errorf("the first pass waited for %v", took)
			}
			if fates[1] != each("in_doubt", 5) || !s.Resolvable() {
				t.Fatalf("first pass: %q, resolvable %v", fates, s.Resolvable())
			}
			second := time.Now()
			out := r.finish(t)
			if took := time.Since(second); took < test.atLeastTook || took > time.Minute {
				t.Errorf("the second pass took %v", took)
			}
			for i := range out {
				if out[i].fates != each("written", 5) {
					t.Errorf("chunk %d: %s", i, out[i].fates)
				}
			}
			time.Sleep(time.Minute)
			if n := g.times("K-5"); n > 1 != test.duplicate {
				t.Errorf("the first row of the late request is there %d times", n)
			}
			if !test.duplicate {
				r.wantOnce(t)
			}
		})
	}
}

// TestFault03NoKey loses the answer to rows that cannot be told from others: they
// stay in doubt, and are not sent again by any pass.
func TestFault03NoKey(t *testing.T) {
	for name, set := range map[string]func(r *trial){
		"no lookup": func(r *trial) { r.noKey = true },
		"no keys": func(r *trial) {
			for _, row := range slices.Concat(r.chunks...) {
				row[2] = pipelinetest.Null
			}
		},
		"shared keys": func(r *trial) { r.options.Shared = func(int64) bool { return true } },
		"a control character in it": func(r *trial) {
			for _, row := range slices.Concat(r.chunks...) {
				row[2] += "\tx"
			}
		},
		"one key twice in the chunk": func(r *trial) {
			for _, rows := range r.chunks {
				rows[1][2], rows[3][2] = rows[0][2], rows[2][2]
			}
		},
	} {
		inBubble(t, name, func(t *testing.T) {
			g := newRegister(0)
			g.reset = func(post int) bool { return post == 2 }
			r := &trial{api: g, journal: newMemory(), chunks: creates(0, 3, 4),
				options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second, Atomicity: AllOrNothing}}
			set(r)
			fates, s := r.first(t)
			doubtful := slices.IndexFunc(fates, func(f string) bool { return strings.Contains(f, "in_doubt") })
			if doubtful < 0 || s.Resolvable() {
				t.Fatalf("first pass: %q, resolvable %v", fates, s.Resolvable())
			}
			posts := g.posts
			for range 2 {
				again, s := r.first(t)
				if !slices.Equal(again, fates) || s.Resolvable() {
					t.Errorf("a later pass: %q, resolvable %v", again, s.Resolvable())
				}
			}
			if g.posts != posts || len(g.records) != 12 {
				t.Errorf("%d requests, %d of them later, %d records", g.posts, g.posts-posts, len(g.records))
			}
		})
	}
}

// TestFault03KilledWithoutKey is killed once the request is out: what is not known
// is in doubt, and nothing is sent twice.
func TestFault03KilledWithoutKey(t *testing.T) {
	for _, test := range []struct {
		point string
		want  string
		sent  int
	}{
		{"sending", each("written", 4), 12},
		{"sent", each("in_doubt", 4), 8},
		{"POST", each("in_doubt", 4), 8},
		{"POST done", each("in_doubt", 4), 12},
		{"settle", each("in_doubt", 4), 12},
	} {
		inBubble(t, test.point, func(t *testing.T) {
			m := newMemory()
			r := &trial{api: newRegister(0), journal: m, chunks: creates(0, 3, 4), noKey: true,
				options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: time.Second}}
			times := 0
			kill := func(point string) {
				if point != test.point {
					return
				}
				if times++; times == 2 {
					panic(killed{point})
				}
			}
			r.api.pass, m.pass = kill, kill
			func() {
				defer func() {
					if recover() == nil {
						t.Error("it lives")
					}
				}()
				_, _ = r.pass(t, r.sink(t))
			}()
			out := r.finish(t)
			if out[0].fates != each("written", 4) || out[1].fates != test.want || out[2].fates != each("written", 4) {
				t.Errorf("%+v", out)
			}
			if len(r.api.records) != test.sent {
				t.Errorf("%d records, want %d", len(r.api.records), test.sent)
			}
		})
	}
}

// TestFault14OddAnswers meets answers of success that show less than they should,
// or something else: what they do not show by key is looked up, and every row is
// there once.
func TestFault14OddAnswers(t *testing.T) {
	text := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, spoil := range map[string]func([]map[string]any) string{
		"cut":          func(a []map[string]any) string { s := text(a); return s[:len(s)/2] },
		"HTML":         func([]map[string]any) string { return "<html><title>Log in</title></html>" },
		"empty":        func([]map[string]any) string { return "" },
		"none":         func([]map[string]any) string { return "[]" },
		"one short":    func(a []map[string]any) string { return text(a[1:]) },
		"one too many": func(a []map[string]any) string { return text(append(a, map[string]any{"id": "x", "custom_id": "x"})) },
		"reversed":     func(a []map[string]any) string { slices.Reverse(a); return text(a) },
		"another's key": func(a []map[string]any) string {
			return text(append([]map[string]any{{"id": "x", "custom_id": "x"}}, a[1:]...))
		},
	} {
		inBubble(t, name, func(t *testing.T) {
			g := newRegister(0)
			g.answer = func(post int, answer []map[string]any) (int, string) {
				if post%2 == 0 {
					return http.StatusOK, spoil(answer)
				}
				return 0, ""
			}
			r := &trial{api: g, journal: newMemory(), chunks: creates(0, 4, 5),
				options: ImportOptions{Target: Target{Mode: CreateOnly}, Settle: 30 * time.Second}}
			fates, s := r.first(t)
			for i := range fates {
				if strings.ReplaceAll(fates[i], " stored_otherwise", "") != each("written", 5) {
					t.Errorf("chunk %d: %s", i, fates[i])
				}
			}
			if s.Resolvable() {
				t.Error("in doubt")
			}
			r.wantOnce(t)
		})
	}
}
