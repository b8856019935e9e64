package sinks

import (
	"sync"
	"sync/atomic"

	"flytt/internal/jsonscan"
)

// fieldForms is what a run has learned of which members the API keeps as they are sent.
// It is for concurrent use.
type fieldForms struct {
	rows atomic.Int64 // shown whole so far

	mu      sync.Mutex
	seen    map[string]bool // members that came back as sent
	changed map[string]bool // members that came back in another form, at least once
}

// learnedRows is how many rows are looked at for members that come back as they were
// sent. Those that do not are noticed in every row.
const learnedRows = 1000

// learn takes in how the API stored a row that was sent.
func (f *fieldForms) learn(sent []byte, stored []deviation) {
	if f.rows.Add(1) > learnedRows && len(stored) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen, f.changed = map[string]bool{}, map[string]bool{}
	}
	for _, d := range stored {
		f.changed[d.name] = true
	}
	for name := range jsonscan.Members(sent) {
		if !f.seen[string(name)] {
			f.seen[string(jsonscan.Unquote(name))] = true
		}
	}
}

// changes reports whether the member name came back in another form at least once.
func (f *fieldForms) changes(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed[name]
}

// keeps reports whether the member name always came back as it was sent, so far.
func (f *fieldForms) keeps(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[name] && !f.changed[name]
}
