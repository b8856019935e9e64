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

func newTestSlots(most int) *slots { return newSlots(most, slog.New(slog.DiscardHandler)) }

// take acquires a slot that has to be free.
func take(t testing.TB, s *slots) uint64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	round, err := s.acquire(ctx)
	if err != nil {
		t.Fatalf("no slot of %d is free, %d are taken", int(s.limit), s.inFlight)
	}
	return round
}

func TestSlotsHalveOnceForABurst(t *testing.T) {
	s := newTestSlots(16)
	var rounds []uint64
	for range 16 {
		rounds = append(rounds, take(t, s))
	}
	for _, round := range rounds {
		s.release(round, loadTooHigh)
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

func TestSlotsGrowByOneForARound(t *testing.T) {
	s := newTestSlots(16)
	s.limit = 4
	for range 4 {
		s.release(take(t, s), loadRoom)
	}
	if s.limit < 4.8 || s.limit > 5 {
		t.Errorf("limit %v after 4 successes at a limit of 4", s.limit)
	}
	for range 1000 {
		s.release(take(t, s), loadRoom)
	}
	if s.limit != 16 {
		t.Errorf("limit %v, want no more than 16", s.limit)
	}
	s.release(take(t, s), loadUnknown)
	if s.limit != 16 || s.inFlight != 0 {
		t.Errorf("limit %v, %d in flight", s.limit, s.inFlight)
	}
}

func TestSlotsAreServedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSlots(1)
		round := take(t, s)
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				round, err := s.acquire(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				s.release(round, loadUnknown)
			})
			synctest.Wait()
		}
		s.release(round, loadUnknown)
		wg.Wait()
		for i, got := range order {
			if got != i {
				t.Fatalf("served in the order %v", order)
			}
		}
	})
}

// TestSlotsAreNeverLost has callers come, go and stop waiting at random: there are
// never more in flight than the limit was when they came, and none is left.
func TestSlotsAreNeverLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSlots(8)
		stop := errors.New("stop")
		var mu sync.Mutex
		flying := 0
		var wg sync.WaitGroup
		for i := range 200 {
			random := rand.New(rand.NewPCG(7, uint64(i)))
			wg.Go(func() {
				for range 20 {
					ctx, cancel := context.WithCancelCause(t.Context())
					timer := time.AfterFunc(time.Duration(random.IntN(3000))*time.Millisecond, func() { cancel(stop) })
					round, err := s.acquire(ctx)
					timer.Stop()
					cancel(nil)
					if err != nil {
						if !errors.Is(err, stop) {
							t.Errorf("%v", err)
						}
						continue
					}
					mu.Lock()
					if flying++; flying > 8 {
						t.Errorf("%d in flight", flying)
					}
					mu.Unlock()
					time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
					mu.Lock()
					flying--
					mu.Unlock()
					s.release(round, load(random.IntN(3)))
				}
			})
		}
		wg.Wait()
		if s.inFlight != 0 || s.waiting.Len() != 0 {
			t.Errorf("%d in flight and %d waiting at the end", s.inFlight, s.waiting.Len())
		}
	})
}

func BenchmarkSlots(b *testing.B) {
	s := newTestSlots(64)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			round, err := s.acquire(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			s.release(round, loadRoom)
		}
	})
}
