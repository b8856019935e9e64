package api

import (
	"slices"

	"flytt/internal/jsonscan"
)

// maxHeld is how many bytes of a possible envelope are buffered.
const maxHeld = maxObject / 2

// first reads the first object of an answer that starts with one. It reports whether
// that was an envelope: the only object of the answer, with the list in a member such
// as results. Whether it is the only one is not known before the end, so the objects in
// it are buffered until then, or until it is too large to be a record.
func (d *decoder) first() (enveloped bool, err error) {
	// Up to maxHeld are held back, and one object on top of that.
	d.in.keep, d.in.limit = true, maxHeld+maxObject
	// What was read before, to see the first byte, is in the decoder's buffer.
	d.in.kept = append(d.in.kept, d.json.UnreadBuffer()...)
	e := envelope{decoder: d, base: d.json.InputOffset()}
	return e.read()
}

// envelope reads an object that may be an envelope.
type envelope struct {
	*decoder
	base    int64 // where kept begins in the answer
	found   bool  // a member that may be the list was found
	decided bool  // it is too large to be a record, so it is an envelope
}

// at returns where the decoder is, in kept.
func (e *envelope) at() int { return int(e.json.InputOffset() - e.base) }

func (e *envelope) read() (bool, error) {
	e.held = e.held[:0]
	if _, err := e.json.ReadToken(); err != nil {
		return false, e.explain(err)
	}
	start := e.at() - 1
	for e.json.PeekKind() != '}' {
		if err := e.member(); err != nil {
			return false, err
		}
	}
	if _, err := e.json.ReadToken(); err != nil {
		return false, e.explain(err)
	}
	e.stopKeeping()
	object := e.in.kept[min(start, len(e.in.kept)):min(e.at(), len(e.in.kept))]
	if e.decided {
		return true, e.end()
	}
	return e.classify(object)
}

// member reads one member.
func (e *envelope) member() error {
	name, err := e.json.ReadToken()
	if err != nil {
		return e.explain(err)
	}
	listed := !e.found && slices.Contains(envelopes, name.String())
	if listed && e.json.PeekKind() == '[' {
		e.found = true
		return e.list()
	}
	return e.explain(e.json.SkipValue())
}

// list reads the array that may be the list.
func (e *envelope) list() error {
	if _, err := e.json.ReadToken(); err != nil {
		return e.explain(err)
	}
	for e.json.PeekKind() != ']' {
		if err := e.element(); err != nil {
			return err
		}
	}
	_, err := e.json.ReadToken()
	return e.explain(err)
}

// element reads one value of the list: directly into the page if it is decided that the
// object is an envelope.
func (e *envelope) element() error {
	if e.decided {
		return e.value()
	}
	v, err := e.json.ReadValue()
	if err != nil {
		return e.explain(err)
	}
	end := e.at()
	e.held = append(e.held, span{end - len(v), end})
	if end <= maxHeld {
		return nil
	}
	e.decided = true
	e.stopKeeping()
	return e.release()
}

// stopKeeping ends the buffering: from here, values are read one by one.
func (e *envelope) stopKeeping() {
	e.in.mark = e.json.InputOffset()
	e.in.keep, e.in.limit = false, maxObject
}

// release puts the buffered objects into the page.
func (e *envelope) release() error {
	for _, s := range e.held {
		if err := e.add(e.in.kept[s.start:s.end]); err != nil {
			return err
		}
	}
	return nil
}

// classify decides what the object, which is complete now, is: an envelope if it has a
// list and nothing follows it, otherwise a record.
func (e *envelope) classify(object []byte) (bool, error) {
	switch kind := e.json.PeekKind(); {
	case kind != 0: // another object, or what rest finds wrong
		return false, e.add(object)
	case e.found:
		if err := e.end(); err != nil {
			return false, err
		}
		return true, e.release()
	case tellsOfFailure(object):
		return false, errFailure
	}
	return false, e.add(object)
}

// tellsOfFailure reports whether the only object of an answer is an error message and
// not a record.
func tellsOfFailure(object []byte) bool {
	if jsonscan.Member(object, "id") != nil {
		return false
	}
	for _, name := range []string{"detail", "error", "errors", "non_field_errors", "message"} {
		if v := jsonscan.Member(object, name); v != nil && !blank(v) {
			return true
		}
	}
	return false
}
