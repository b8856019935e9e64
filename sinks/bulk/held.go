package bulk

import "sync"

// held are the ids of records that rows were found to have made and of which the journal
// may not know yet: a record is of one row. Nothing else is locked while it is.
type held struct {
	mu     sync.Mutex
	ids    map[string]bool
	listed map[string]bool // the strays, once they are read: no other ids are of interest then
}

// add takes in that a row has the record with id.
func (h *held) add(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ids == nil {
		h.ids = map[string]bool{}
	}
	if h.listed == nil || h.listed[id] {
		h.ids[id] = true
	}
}

// has reports whether a row has the record with id.
func (h *held) has(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ids[id]
}

// list takes in which records are the strays.
func (h *held) list(strays []stray) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listed = make(map[string]bool, len(strays))
	for i := range strays {
		h.listed[strays[i].id] = true
	}
}

// release forgets the ids of the rows of w, of which the journal knows now: strays that
// are read from now on are without them.
func (h *held) release(w *write) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listed != nil || len(h.ids) == 0 {
		return
	}
	for row := range w.ids {
		delete(h.ids, string(w.idOf(int32(row))))
	}
}
