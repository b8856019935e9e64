package api

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func newTestLimiter(most int) *concurrencyLimiter {
	return newConcurrencyLimiter(most, nil, slog.New(slog.DiscardHandler))
}

// take acquires a permit; one has to be free.
func take(t testing.TB, s *concurrencyLimiter) permit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	given, err := s.acquire(ctx, false)
	if err != nil {
		t.Fatalf("no permit of %d is free, %d are in use", int(s.limit), s.inFlight)
	}
	return given
}

func TestTheLimitIsHalvedOnceForABurst(t *testing.T) {
	s := newTestLimiter(16)
	var given []permit
	for range 16 {
		given = append(given, take(t, s))
	}
	for _, each := range given {
		s.release(each, loadTooHigh)
	}
	if s.limit != 8 {
		t.Errorf("limit %v after a burst of 16 that was turned away, want 8", s.limit)
	}
	for _, want := range []float64{4, 2, 1, 1} {
		s.release(take(t, s), loadTooHigh)
		if s.limit != want {
			t.Errorf("limit %v, want %v", s.limit, want)
		}
	}
}

func TestTheLimitGrowsByOneForARound(t *testing.T) {
	s := newTestLimiter(16)
	s.limit = 4
	for range 4 {
		s.release(take(t, s), loadOK)
	}
	if s.limit < 4.8 || s.limit > 5 {
		t.Errorf("limit %v after 4 successes at a limit of 4", s.limit)
	}
	for range 1000 {
		s.release(take(t, s), loadOK)
	}
	if s.limit != 16 {
		t.Errorf("limit %v, want no more than 16", s.limit)
	}
	s.release(take(t, s), loadUnknown)
	if s.limit != 16 || s.inFlight != 0 {
		t.Errorf("limit %v, %d in flight", s.limit, s.inFlight)
	}
}

func TestWritesAreAdmittedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestLimiter(1)
		first := take(t, s)
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				given, err := s.acquire(t.Context(), false)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				s.release(given, loadUnknown)
			})
			synctest.Wait()
		}
		s.release(first, loadUnknown)
		wg.Wait()
		for i, got := range order {
			if got != i {
				t.Fatalf("served in the order %v", order)
			}
		}
	})
}

// TestPermitsAreNeverLost has callers come, go and stop waiting at random: there are
// never more in flight than the limit was when they came, none beside one that goes
// alone, and none is left.
func TestPermitsAreNeverLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestLimiter(8)
		stop := errors.New("stop")
		var mu sync.Mutex
		flying, lonely := 0, false
		var wg sync.WaitGroup
		for i := range 200 {
			random := rand.New(rand.NewPCG(7, uint64(i)))
			wg.Go(func() {
				for range 20 {
					ctx, cancel := context.WithCancelCause(t.Context())
					timer := time.AfterFunc(time.Duration(random.IntN(3000))*time.Millisecond, func() { cancel(stop) })
					alone := random.IntN(5) == 0
					given, err := s.acquire(ctx, alone)
					timer.Stop()
					cancel(nil)
					if err != nil {
						if !errors.Is(err, stop) {
							t.Errorf("%v", err)
						}
						continue
					}
					mu.Lock()
					if flying++; flying > 8 || flying > 1 && (alone || lonely) {
						t.Errorf("%d in flight", flying)
					}
					lonely = alone
					mu.Unlock()
					time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
					mu.Lock()
					flying--
					lonely = false
					mu.Unlock()
					if overlapped := s.release(given, loadSignal(random.IntN(3))); overlapped && alone {
						t.Error("what went alone had company")
					}
					if random.IntN(3) == 0 {
						s.recordConflict(given.round)
					}
				}
			})
		}
		wg.Wait()
		if s.inFlight != 0 || s.queue.Len() != 0 {
			t.Errorf("%d in flight and %d waiting at the end", s.inFlight, s.queue.Len())
		}
	})
}

// TestAWriteGoesAlone has one write go alone while others are in flight and more come.
func TestAWriteGoesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestLimiter(4)
		first, second := take(t, s), take(t, s)
		var mu sync.Mutex
		var order []string
		entered := func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(order)
		}
		var wg sync.WaitGroup
		start := func(name string, alone bool) {
			wg.Go(func() {
				given, err := s.acquire(t.Context(), alone)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, name)
				mu.Unlock()
				time.Sleep(time.Second)
				if overlapped := s.release(given, loadOK); overlapped == alone {
					t.Errorf("%s: overlapped %v", name, overlapped)
				}
			})
			synctest.Wait()
		}
		start("alone", true)
		start("later", false)
		if entered() != 0 {
			t.Errorf("%v did not wait", order)
		}
		if !s.release(first, loadUnknown) {
			t.Error("the first had no company")
		}
		synctest.Wait()
		if entered() != 0 {
			t.Errorf("%v did not wait for the second", order)
		}
		s.release(second, loadUnknown)
		synctest.Wait()
		start("last", false)
		if entered() != 1 {
			t.Errorf("%v beside what goes alone", order)
		}
		wg.Wait()
		if len(order) != 3 || order[0] != "alone" || s.inFlight != 0 || s.exclusive {
			t.Errorf("order %v, %d in flight", order, s.inFlight)
		}
	})
}

// TestWaitingToGoAloneCanEnd has a write stop waiting to go alone: those behind it go
// on at once.
func TestWaitingToGoAloneCanEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestLimiter(4)
		first := take(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.acquire(ctx, true); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		})
		synctest.Wait()
		entered := false
		wg.Go(func() {
			given, err := s.acquire(t.Context(), false)
			entered = err == nil
			s.release(given, loadUnknown)
		})
		synctest.Wait()
		if entered {
			t.Error("it overtook what waits to go alone")
		}
		cancel()
		wg.Wait()
		if !entered {
			t.Error("it did not go on")
		}
		s.release(first, loadUnknown)
	})
}

// TestConflictsSlowTheGrowthDown has an API that refuses writes that overlap: the
// limit is tried again ever more seldom, and grows at its old pace once that goes well.
func TestConflictsSlowTheGrowthDown(t *testing.T) {
	s := newTestLimiter(16)
	conflicts := 0
	for range 2000 {
		if given := take(t, s); int(s.limit) == 1 {
			s.release(given, loadOK)
		} else {
			s.release(given, loadUnknown)
			s.recordConflict(given.round)
			conflicts++
		}
	}
	if conflicts < 4 || conflicts > 45 {
		t.Errorf("%d conflicts in 2000 writes", conflicts)
	}
	for range 3000 {
		s.release(take(t, s), loadOK)
	}
	if s.limit != 16 || s.slowdown != 0 {
		t.Errorf("limit %v, caution %d after the conflicts were over", s.limit, s.slowdown)
	}
}

func BenchmarkSlots(b *testing.B) {
	s := newTestLimiter(64)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			given, err := s.acquire(context.Background(), false)
			if err != nil {
				b.Fatal(err)
			}
			s.release(given, loadOK)
		}
	})
}
