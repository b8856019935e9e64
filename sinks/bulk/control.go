package bulk

import (
	"net/url"
	"sync/atomic"
	"time"

	"flytt/internal/api"
)

// control is a row that is known to be in the API and known to be found there.
// A lookup that asks for it too proves by showing it that it is not blind:
// through the scope of the credentials, a replica that lags, or a filter that
// has no effect. Only then are rows that it does not show believed to be absent.
//
// The first row of a run is sent alone to become the control, while all other
// writes wait. From then on it is a row of the answer that came last: a list that
// shows that one is not behind, as far as can be told.
type control struct {
	turn    chan struct{} // holds one token: who may learn
	done    chan struct{} // closed when there is a key, or there will be none
	key     string        // set before done is closed; empty: nothing can be looked up
	lag     time.Duration // likewise: how long it took at most until the list showed the control
	tries   int           // rows sent alone so far that were not refused; for the holder of the turn
	refused int           // rows sent alone that were; likewise

	latest atomic.Pointer[anchor] // a row that was written since

	crowded bool // the API has several records with the key of one row
}

// maxControlTries is how many rows are sent alone at most, and maxControlRefused
// how many of those that are refused.
const (
	maxControlTries   = 25
	maxControlRefused = 60
)

// visible is how long to wait before each look for the first row written.
var visible = []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond}

func (c *control) init(wanted bool) {
	c.turn, c.done = make(chan struct{}, 1), make(chan struct{})
	if !wanted {
		close(c.done)
	}
}

// known returns the key of the control, empty if there is none.
func (c *control) known() string {
	if a := c.latest.Load(); a != nil && c.first() != "" {
		return a.key
	}
	return c.first()
}

// first returns the key of the row that became the control first.
func (c *control) first() string {
	if !c.settled() {
		return ""
	}
	return c.key
}

// wrote takes in that a row with this key was written. One that a query cannot hold
// as it is proves nothing by not being shown.
func (c *control) wrote(key []byte) {
	if api.Lookupable(key) && url.QueryEscape(string(key)) == string(key) {
		c.latest.Store(&anchor{string(key)})
	}
}

func (c *control) settled() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func (c *control) settle(key string) {
	c.key = key
	close(c.done)
}

// cause says why no row came to be the control.
func (c *control) cause() string {
	if c.crowded {
		return "the API has several records with the keys of the first rows: has this file been imported before?"
	}
	return "none of the first rows was written and found"
}
