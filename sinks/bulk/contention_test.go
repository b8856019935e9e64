package bulk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline"
)

// lockingAPI refuses writes because of others, and passes the rest on to an API behind it.
// Each write takes a hundredth of a second.
type lockingAPI struct {
	api    http.RoundTripper
	status int
	body   string
	both   bool                   // of two writes that overlap both are refused, not only the later one
	locked func(body string) bool // somebody else keeps out a write with this body, too

	mu       sync.Mutex
	inFlight map[*lockedWrite]bool
	writes   int
	refused  int
}

// lockedWrite is a write that is under way.
type lockedWrite struct{ overlapped bool }

func (l *lockingAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet {
		return l.api.RoundTrip(r)
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	if l.keepsOut(string(body)) {
		return &http.Response{StatusCode: l.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(l.body))}, nil
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(strings.NewReader(string(body)))
	return l.api.RoundTrip(again)
}

// keepsOut lets a write with body take its time, and reports whether it is refused.
func (l *lockingAPI) keepsOut(body string) bool {
	me := &lockedWrite{}
	l.mu.Lock()
	if l.inFlight == nil {
		l.inFlight = map[*lockedWrite]bool{}
	}
	for other := range l.inFlight {
		me.overlapped = true
		other.overlapped = other.overlapped || l.both
	}
	l.inFlight[me] = true
	l.writes++
	l.mu.Unlock()
	time.Sleep(10 * time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.inFlight, me)
	if me.overlapped || l.locked != nil && l.locked(body) {
		l.refused++
		return true
	}
	return false
}

// writeAll writes the chunks four at a time and returns the first error.
func writeAll(ctx context.Context, s pipeline.Sink, chunks []*pipeline.Chunk) error {
	queue := make(chan *pipeline.Chunk, len(chunks))
	for i, c := range chunks {
		c.Seq = int64(i)
		queue <- c
	}
	close(queue)
	errs := make([]error, 4)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for c := range queue {
				if err := s.Write(ctx, c); err != nil {
					errs[i] = cmp.Or(errs[i], err)
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// chunksOf returns n rows in chunks of size.
func chunksOf(t testing.TB, s *Import, n, size int, bad ...int) (out []*pipeline.Chunk) {
	t.Helper()
	for from := 0; from < n; from += size {
		out = append(out, bulkChunk(t, s, from, min(size, n-from), bad...))
	}
	return out
}

// lockRefusals are how servers refuse a write because of another one.
var lockRefusals = map[string]struct {
	status int
	body   string
}{
	"409":                     {409, `{"detail":"Conflict."}`},
	"409 without a word":      {409, ``},
	"423":                     {423, `{"detail":"Locked."}`},
	"400 of PostgreSQL":       {400, `{"detail":"could not obtain lock on row in relation \"contact\""}`},
	"400 of Salesforce":       {400, `[{"message":"unable to obtain exclusive access to this record","errorCode":"UNABLE_TO_LOCK_ROW","fields":[]}]`},
	"422 of MySQL":            {422, `{"errors":{"non_field_errors":["Deadlock found when trying to get lock; try restarting transaction"]}}`},
	"422, try again":          {422, `{"message":"Another request is in progress, please try again."}`},
	"400, plain text":         {400, `could not serialize access due to concurrent update`},
	"400, one row of the key": {400, `[{"custom_id":"K-0005","message":"Record is being modified by another user"}]`},
	"400, two rows, aligned":  {400, `[{},{"non_field_errors":["unable to lock row"]},{"non_field_errors":["unable to lock row"]},{}]`},
}

// TestFault45LockConflicts has an API that refuses writes that overlap, in many ways: of
// 40 good rows none is rejected, and each is there once.
func TestFault45LockConflicts(t *testing.T) {
	for name, refusal := range lockRefusals {
		for _, both := range []bool{false, true} {
			for _, o := range []ImportOptions{{Atomicity: AllOrNothing}, {Target: Target{KeyLookup: true}}, {Target: Target{KeyLookup: true}, Journal: newMemory()}} {
				name := fmt.Sprintf("%s, both %v, atomicity %d, journal %v", name, both, o.Atomicity, o.Journal != nil)
				synctest.Test(t, func(t *testing.T) {
					f := &fakeAPI{}
					l := &lockingAPI{api: f, status: refusal.status, body: refusal.body, both: both}
					s := bulkTo(t, "https://api.example.se", l, o)
					chunks := chunksOf(t, s, 40, 4)
					if err := writeAll(t.Context(), s, chunks); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					for _, c := range chunks {
						wantFates(t, name, c, "4 written")
						f.wantOnce(t, name, c)
					}
					if l.refused == 0 || l.refused > 20 || l.writes > 45 {
						t.Errorf("%s: %d writes, %d refused", name, l.writes, l.refused)
					}
				})
			}
		}
	}
}

// TestFault45ConflictsLowerTheConcurrency has an API that takes one write at a time, and
// a long run: overlaps become rare.
func TestFault45ConflictsLowerTheConcurrency(t *testing.T) {
	for name, refusal := range lockRefusals {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeAPI{}
			l := &lockingAPI{api: f, status: refusal.status, body: refusal.body, both: true}
			s := bulkTo(t, "https://api.example.se", l, ImportOptions{Atomicity: AllOrNothing})
			chunks := chunksOf(t, s, 800, 4)
			if err := writeAll(t.Context(), s, chunks); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, c := range chunks {
				wantFates(t, name, c, "4 written")
			}
			if l.refused > 20 {
				t.Errorf("%s: %d of %d writes refused", name, l.refused, l.writes)
			}
		})
	}
}

// TestFault45ABadRowAmongLockConflicts has one row that the API does not take, and says
// nothing about which it is, among writes that are in each other's way.
func TestFault45ABadRowAmongLockConflicts(t *testing.T) {
	for name, refusal := range lockRefusals {
		for _, o := range []ImportOptions{{Atomicity: AllOrNothing}, {Target: Target{KeyLookup: true}}} {
			for bad := 5; bad < 40; bad += 9 {
				synctest.Test(t, func(t *testing.T) {
					f := &fakeAPI{}
					l := &lockingAPI{api: f, status: refusal.status, body: refusal.body, both: true}
					s := bulkTo(t, "https://api.example.se", l, o)
					chunks := chunksOf(t, s, 40, 4, bad)
					if err := writeAll(t.Context(), s, chunks); err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					for i, c := range chunks {
						want := "4 written"
						if i == bad/4 {
							want = "1 rejected, 3 written"
						}
						wantFates(t, name, c, want)
						f.wantOnce(t, name, c)
						for _, p := range c.Problems {
							if string(c.Fields[0].Value(int(p.Row))) != "bad" || p.Code != codeRefused || p.Private != "Something in there is wrong." {
								t.Errorf("%s: %+v", name, p)
							}
						}
					}
				})
			}
		}
	}
}

// TestFault45UnknownWords has an API that refuses writes that overlap with words that
// say nothing of locks: splitting, which nothing else is in flight with, finds no bad row.
func TestFault45UnknownWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeAPI{}
		l := &lockingAPI{api: f, status: http.StatusBadRequest, body: `{"detail":"E-17"}`}
		s := bulkTo(t, "https://api.example.se", l, ImportOptions{Atomicity: AllOrNothing})
		chunks := chunksOf(t, s, 200, 20)
		if err := writeAll(t.Context(), s, chunks); err != nil {
			t.Fatal(err)
		}
		for _, c := range chunks {
			wantFates(t, "unknown words", c, "20 written")
			f.wantOnce(t, "unknown words", c)
		}
		if l.refused == 0 {
			t.Error("nothing was refused")
		}
	})
}

// TestAnAPIThatAlwaysSaysConflict has an API that refuses everything because of other
// writes, even what is alone: it ends within few requests, and each row is rejected for
// what the API says.
func TestAnAPIThatAlwaysSaysConflict(t *testing.T) {
	always := func(string) bool { return true }
	for name, refusal := range lockRefusals {
		if strings.HasPrefix(name, "400, ") && strings.Contains(name, "row") {
			continue // it names rows that may not be in the request
		}
		for _, o := range []ImportOptions{{Atomicity: AllOrNothing}, {Atomicity: UnknownAtomicity}} {
			synctest.Test(t, func(t *testing.T) {
				f := &fakeAPI{}
				l := &lockingAPI{api: f, status: refusal.status, body: refusal.body, locked: always}
				s := bulkTo(t, "https://api.example.se", l, o)
				chunks := chunksOf(t, s, 40, 4)
				began := time.Now()
				if err := writeAll(t.Context(), s, chunks); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				for _, c := range chunks {
					if o.Atomicity == UnknownAtomicity { // and no keys to look rows up by
						wantFates(t, name, c, "4 in_doubt")
						continue
					}
					wantFates(t, name, c, "4 rejected")
					if got := codes(c); !strings.HasSuffix(got, " refused") {
						t.Errorf("%s: %s", name, got)
					}
					for _, p := range c.Problems {
						if refusal.body != "" && p.Private == "" {
							t.Errorf("%s: row %d has no reason", name, p.Row)
						}
					}
				}
				if l.writes > 40*9 || time.Since(began) > 2*time.Minute {
					t.Errorf("%s: %d writes in %v", name, l.writes, time.Since(began))
				}
			})
		}
	}
}

// TestARunThatIsLockedOutStops has a large chunk that somebody else keeps out row by row:
// the run stops, says why, and leaves the rows for a resume.
func TestARunThatIsLockedOutStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeAPI{}
		l := &lockingAPI{api: f, status: 423, locked: func(string) bool { return true }}
		s := bulkTo(t, "https://api.example.se", l, ImportOptions{Atomicity: AllOrNothing})
		c := bulkChunk(t, s, 0, 500)
		var stopped *stopError
		if err := s.Write(t.Context(), c); !errors.As(err, &stopped) || stopped.reason != errLockedOut || errors.Is(err, ErrMostRefused) || stopped.Hint() == "" {
			t.Errorf("got %v", err)
		}
		if l.writes > 60 || c.Pending() != 500 {
			t.Errorf("%d writes; %s", l.writes, fates(c))
		}
	})
}

// TestARowThatSomebodyElseLocks has somebody else hold a lock on one row of many, for a
// while or for good: the others go through, and the row does once the lock is gone.
func TestARowThatSomebodyElseLocks(t *testing.T) {
	for _, refusal := range []string{"423", "400 of PostgreSQL", "400 of Salesforce"} {
		for _, held := range []time.Duration{300 * time.Millisecond, 1500 * time.Millisecond, time.Hour} {
			for _, o := range []ImportOptions{{Atomicity: AllOrNothing}, {Target: Target{KeyLookup: true}}} {
				synctest.Test(t, func(t *testing.T) {
					name := fmt.Sprintf("%s for %v, atomicity %d", refusal, held, o.Atomicity)
					until := time.Now().Add(held)
					f := &fakeAPI{}
					l := &lockingAPI{api: f, status: lockRefusals[refusal].status, body: lockRefusals[refusal].body, both: true}
					l.locked = func(body string) bool { return strings.Contains(body, "K-0033") && time.Now().Before(until) }
					s := bulkTo(t, "https://api.example.se", l, o)
					chunks := chunksOf(t, s, 80, 20)
					if err := writeAll(t.Context(), s, chunks); err != nil {
						t.Fatal(err)
					}
					for i, c := range chunks {
						want := "20 written"
						if i == 1 && held == time.Hour {
							want = "1 rejected, 19 written"
						}
						wantFates(t, name, c, want)
						f.wantOnce(t, name, c)
						for _, p := range c.Problems {
							if string(c.Keys.Value(int(p.Row))) != "K-0033" || p.Code != codeRefused || p.Private == "" {
								t.Errorf("%s: %+v", name, p)
							}
						}
					}
					if l.writes > 40 {
						t.Errorf("%s: %d writes", name, l.writes)
					}
				})
			}
		}
	}
}

// TestWaitingForALockCanEnd interrupts a run that waits for the lock on a row: the row is
// not rejected.
func TestWaitingForALockCanEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeAPI{}
		l := &lockingAPI{api: f, status: 423, locked: func(body string) bool { return strings.Contains(body, "K-0003") }}
		s := bulkTo(t, "https://api.example.se", l, ImportOptions{Atomicity: AllOrNothing})
		c := bulkChunk(t, s, 0, 10)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1100*time.Millisecond, cancel)
		if err := s.Write(ctx, c); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		wantFates(t, "interrupted", c, "1 pending, 9 written")
	})
}

// TestChangesInConflict has an API that refuses changes that overlap, and somebody else
// who keeps one record locked, for a while or for good.
func TestChangesInConflict(t *testing.T) {
	for name, refusal := range lockRefusals {
		if strings.Contains(name, ", ") && refusal.status == 400 {
			continue // it names rows, of which a change is only one, or is like the others
		}
		for _, held := range []time.Duration{0, 2 * time.Second, time.Hour} {
			synctest.Test(t, func(t *testing.T) {
				until := time.Now().Add(held)
				a := withRecords(40)
				l := &lockingAPI{api: a, status: refusal.status, body: refusal.body, both: true}
				l.locked = func(body string) bool { return strings.Contains(body, "new 7\"") && time.Now().Before(until) }
				s := updateTo(t, l, ImportOptions{Target: Target{Mode: UpdateOnly}})
				var chunks []*pipeline.Chunk
				for from := 0; from < 40; from += 4 {
					var rows [][]string
					for i := from; i < from+4; i++ {
						rows = append(rows, row(i, "name", fmt.Sprintf("new %d", i)))
					}
					chunks = append(chunks, chunkFrom(t, s, rows))
				}
				if err := writeAll(t.Context(), s, chunks); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				rejected := 0
				for i, c := range chunks {
					for j, fate := range c.Fates {
						if fate == pipeline.Rejected && 4*i+j == 7 && held > 0 {
							rejected++
						} else if fate != pipeline.Updated {
							t.Errorf("%s, locked for %v: row %d is %v", name, held, 4*i+j, fate)
						}
					}
				}
				// Of a conflict without words nobody can tell that it will pass.
				lasts := held == time.Hour || held > 0 && (refusal.status == 409 || name == "422, try again")
				if (rejected == 1) != lasts {
					t.Errorf("%s, locked for %v: %d rejected", name, held, rejected)
				}
				if n := strings.Count(a.sent(), "PATCH"); n != 40-rejected {
					t.Errorf("%s: %d changes made", name, n)
				}
			})
		}
	}
}
