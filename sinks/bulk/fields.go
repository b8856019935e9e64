package bulk

import (
	"bytes"
	"sync"
	"sync/atomic"

	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
)

// fieldForms is what a run has learned of which members the API keeps as they are sent.
// It is for concurrent use.
type fieldForms struct {
	rows atomic.Int64 // shown whole so far

	mu      sync.Mutex
	seen    map[string]bool // members that came back as sent
	wide    map[string]bool // members of which a value did that is not ASCII alone
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
		f.seen, f.wide = map[string]bool{}, map[string]bool{}
		f.changed, f.edges = map[string]bool{}, map[uint64]bool{}
	}
	for _, d := range stored {
		f.changed[d.name] = true
		if d.edge != 0 && len(f.edges) < maxEdges {
			f.edges[d.edge] = true
		}
	}
	for name, value := range jsonscan.Members(sent) {
		if !f.seen[string(name)] {
			f.seen[string(jsonscan.Unquote(name))] = true
		}
		if !f.wide[string(name)] && isWide(value) {
			f.wide[string(jsonscan.Unquote(name))] = true
		}
	}
}

// adds reports whether this was seen to be added or cut.
func (f *fieldForms) adds(edge uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return edge != 0 && f.edges[edge]
}

// keeps reports whether the member name always came back as it was sent, so far, with
// values like value: that an API keeps ASCII says nothing of other letters.
func (f *fieldForms) keeps(name string, value jsontext.Value) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[name] && !f.changed[name] && (f.wide[name] || !isWide(value))
}

// isWide reports whether value has characters that are not ASCII.
func isWide(value jsontext.Value) bool {
	text := []byte(value)
	if bytes.IndexByte(text, '\\') >= 0 { // they may be escaped
		text = jsonscan.Text(value)
	}
	return bytes.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}
