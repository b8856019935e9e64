package api_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"flytt/internal/api"
)

// TestRetrierGivesUpWhenFailuresTakeTurns has a request that is turned away and
// not delivered, one after the other.
func TestRetrierGivesUpWhenFailuresTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newClient(t, api.Config{BaseURL: "https://x.se"}).Retrier("POST", path)
		start := time.Now()
		for i := 0; time.Since(start) < time.Hour; i++ {
			o := api.Outcome{Class: api.NotSent, Err: errors.New("connection refused")}
			if i%2 == 0 {
				o.Class = api.NotProcessed
			}
			if p.Wait(t.Context(), o) != nil {
				return
			}
		}
		t.Error("still at it after an hour")
	})
}
