package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// Each thing the API's reference leaves open is a small type here. Its zero
// value is the friendliest reading. Its String is what Set takes, so that a
// pointer to it can be a flag; Type lists what there is.

// Atomicity says what a bulk write with a bad item does to the good ones. The
// answer is the same: 400 and the errors.
type Atomicity uint8

const (
	All     Atomicity = iota // nothing is written
	Partial                  // the good items are written
)

// ItemID says what an id in a bulk item means.
type ItemID uint8

const (
	Updates ItemID = iota // the item changes that row
	Refused               // the item is in error
	Ignored               // the item makes a new row
)

// AnswerOrder is the order of the objects in the answer to a bulk write.
type AnswerOrder uint8

const (
	InOrder  AnswerOrder = iota // as the items were sent
	Reversed                    // the last first
	Shuffled                    // as Options.FaultSeed has it
)

// ErrorShape is how an answer says what is wrong. Below, an item is one of a
// bulk write; the faults of a single object, or of a list's parameters, are
// {"field":["message"]} unless the shape says otherwise.
type ErrorShape uint8

const (
	AlignedErrors ErrorShape = iota // a list as long as the items, {} for each good one
	IndexedErrors                   // {"3":{"field":["message"]}}, counted from 0
	ListedErrors                    // {"errors":[{"index":3,"field":"…","message":"…"}]}; no index in other writes
	KeyedErrors                     // {"errors":[{"custom_id":"…","field":"…","message":"…"}]}; index for an item without a key
	DetailErrors                    // {"detail":"…"}, which names neither item nor field
	TextErrors                      // the same as text/plain
	HTMLErrors                      // the same as a page
)

// IDForm is the form in which identity numbers (ssn, org_no) are kept.
type IDForm uint8

const (
	AsSent      IDForm = iota // untouched
	WithDash                  // a dash before the last four digits
	WithoutDash               // digits alone; a plus sign, which says a century, stays
)

// RelationShape is how a reference that is there is answered.
type RelationShape uint8

const (
	IDObject       RelationShape = iota // {"id":"…"}
	BareID                              // "…"
	ExpandedObject                      // {"id":"…","name":"…"}
	EmptyObject                         // {}
)

// Framing is what stands around and between the objects of a list.
type Framing uint8

const (
	AsAsked     Framing = iota // an array, with _jsonl one object a line
	AlwaysArray                // _jsonl is not heeded
	AlwaysLines                // one object a line, asked for or not
	Envelope                   // {"results":[…]}, unless _jsonl is asked for
)

// PastEnd says what a page past the end is.
type PastEnd uint8

const (
	Empty    PastEnd = iota // 200 and no rows
	NotFound                // 404, page 1 excepted
)

// Paging says whether _page and _page_size are heeded.
type Paging uint8

const (
	Pages     Paging = iota // both are
	FirstPage               // _page is not: every page is the first
	OnePage                 // neither is: every page is the whole list
)

// The names of the choices, by value.
var (
	atomicities    = choices{"all", "partial"}
	itemIDs        = choices{"updates", "refused", "ignored"}
	answerOrders   = choices{"sent", "reversed", "shuffled"}
	errorShapes    = choices{"aligned", "indexed", "listed", "keyed", "detail", "text", "html"}
	idForms        = choices{"sent", "dash", "digits"}
	relationShapes = choices{"object", "bare", "expanded", "empty"}
	framings       = choices{"asked", "array", "lines", "envelope"}
	pastEnds       = choices{"empty", "404"}
	pagings        = choices{"no", "first", "all"}
)

// choices are the names of the values of a type, by value.
type choices []string

func (c choices) name(i uint8) string {
	if int(i) < len(c) {
		return c[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}

// list returns the names as a flag's help shows them.
func (c choices) list() string { return strings.Join(c, "|") }

// choose sets to to the value called name.
func choose[T ~uint8](to *T, c choices, name string) error {
	i := slices.Index(c, name)
	if i < 0 {
		return fmt.Errorf("not one of %s", strings.Join(c, ", "))
	}
	*to = T(i)
	return nil
}

// String returns the name of a.
func (a Atomicity) String() string { return atomicities.name(uint8(a)) }

// Set takes a name.
func (a *Atomicity) Set(name string) error { return choose(a, atomicities, name) }

// Type lists the names.
func (Atomicity) Type() string { return atomicities.list() }

// String returns the name of i.
func (i ItemID) String() string { return itemIDs.name(uint8(i)) }

// Set takes a name.
func (i *ItemID) Set(name string) error { return choose(i, itemIDs, name) }

// Type lists the names.
func (ItemID) Type() string { return itemIDs.list() }

// String returns the name of o.
func (o AnswerOrder) String() string { return answerOrders.name(uint8(o)) }

// Set takes a name.
func (o *AnswerOrder) Set(name string) error { return choose(o, answerOrders, name) }

// Type lists the names.
func (AnswerOrder) Type() string { return answerOrders.list() }

// String returns the name of e.
func (e ErrorShape) String() string { return errorShapes.name(uint8(e)) }

// Set takes a name.
func (e *ErrorShape) Set(name string) error { return choose(e, errorShapes, name) }

// Type lists the names.
func (ErrorShape) Type() string { return errorShapes.list() }

// String returns the name of f.
func (f IDForm) String() string { return idForms.name(uint8(f)) }

// Set takes a name.
func (f *IDForm) Set(name string) error { return choose(f, idForms, name) }

// Type lists the names.
func (IDForm) Type() string { return idForms.list() }

// String returns the name of r.
func (r RelationShape) String() string { return relationShapes.name(uint8(r)) }

// Set takes a name.
func (r *RelationShape) Set(name string) error { return choose(r, relationShapes, name) }

// Type lists the names.
func (RelationShape) Type() string { return relationShapes.list() }

// String returns the name of f.
func (f Framing) String() string { return framings.name(uint8(f)) }

// Set takes a name.
func (f *Framing) Set(name string) error { return choose(f, framings, name) }

// Type lists the names.
func (Framing) Type() string { return framings.list() }

// String returns the name of p.
func (p PastEnd) String() string { return pastEnds.name(uint8(p)) }

// Set takes a name.
func (p *PastEnd) Set(name string) error { return choose(p, pastEnds, name) }

// Type lists the names.
func (PastEnd) Type() string { return pastEnds.list() }

// String returns the name of p.
func (p Paging) String() string { return pagings.name(uint8(p)) }

// Set takes a name.
func (p *Paging) Set(name string) error { return choose(p, pagings, name) }

// Type lists the names.
func (Paging) Type() string { return pagings.list() }
