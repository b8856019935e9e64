package sandbox

import (
	"slices"
	"sync"
)

// Pages are what OFFSET means: rows that come or go between two requests move
// all later pages. Yet reading a list page by page takes time in proportion to
// its rows. A page of a list that an index has in order begins behind the
// nearest row whose place is known from a page before (positions). All other
// lists are put in order once and the row numbers kept (rankings). Either holds
// only as long as nothing was written.

const (
	maxLists = 64   // lists whose positions are known
	maxMarks = 4096 // positions known of a list
)

// offsetMark says that the first offset rows of a list end with the row numbered row.
type offsetMark struct{ offset, row int64 }

// positions remembers where pages of lists end.
type positions struct {
	mu    sync.Mutex
	lists map[listKey]*offsetMarks
	clock uint64
}

// offsetMarks are the known positions of one list.
type offsetMarks struct {
	version version
	used    uint64
	known   []offsetMark // by offset
}

func newPositions() *positions { return &positions{lists: map[listKey]*offsetMarks{}} }

// before returns the last known position at or before offset; the zero mark if there is
// none.
func (p *positions) before(key listKey, v version, offset int64) offsetMark {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.lists[key]
	if m == nil || m.version != v {
		return offsetMark{}
	}
	p.clock++
	m.used = p.clock
	i, exact := m.find(offset)
	switch {
	case exact:
		return m.known[i]
	case i == 0:
		return offsetMark{}
	}
	return m.known[i-1]
}

// add remembers a position.
func (p *positions) add(key listKey, v version, at offsetMark) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.lists[key]
	if m == nil || m.version != v {
		m = &offsetMarks{version: v}
		p.lists[key] = m
	}
	p.clock++
	m.used = p.clock
	if i, exact := m.find(at.offset); !exact {
		m.known = slices.Insert(m.known, i, at)
	}
	if len(m.known) > maxMarks {
		m.thin()
	}
	if len(p.lists) > maxLists {
		delete(p.lists, oldest(p.lists, func(m *offsetMarks) uint64 { return m.used }))
	}
}

func (m *offsetMarks) find(offset int64) (i int, exact bool) {
	return slices.BinarySearchFunc(m.known, offset, func(k offsetMark, offset int64) int { return int(min(max(k.offset-offset, -1), 1)) })
}

// thin drops every second position, but not the last: a reader continues from there.
func (m *offsetMarks) thin() {
	kept := m.known[:0]
	for i := (len(m.known) - 1) % 2; i < len(m.known); i += 2 {
		kept = append(kept, m.known[i])
	}
	m.known = kept
}

// oldest returns the key of the least recently used entry.
func oldest[K comparable, V any](entries map[K]V, used func(V) uint64) (key K) {
	first := ^uint64(0)
	for k, v := range entries {
		if u := used(v); u < first {
			key, first = k, u
		}
	}
	return key
}
