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
	edges   map[uint64]bool // what was seen to be added or cut: see write.edge
}

// maxEdges bounds how many are remembered. A server adds the same to all values, or cuts
// all at one length.
const maxEdges = 1000

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
		f.seen, f.changed, f.edges = map[string]bool{}, map[string]bool{}, map[uint64]bool{}
	}
	for _, d := range stored {
		f.changed[d.name] = true
		if d.edge != 0 && len(f.edges) < maxEdges {
			f.edges[d.edge] = true
		}
	}
	for name := range jsonscan.Members(sent) {
		if !f.seen[string(name)] {
			f.seen[string(jsonscan.Unquote(name))] = true
		}
	}
}

// adds reports whether this was seen to be added or cut.
func (f *fieldForms) adds(edge uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return edge != 0 && f.edges[edge]
}

// keeps reports whether the member name always came back as it was sent, so far.
func (f *fieldForms) keeps(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[name] && !f.changed[name]
}
