package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// Each thing the API's reference leaves open is a small type here, whose zero
// value is the friendliest reading. A Switch makes a flag of it.

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
	IndexedErrors                   // {"3":{"field":["message"]}}, counted as Answers.Index has it
	ListedErrors                    // {"errors":[{"index":3,"field":"…","message":"…"}]}; no index in other writes
	KeyedErrors                     // {"errors":[{"custom_id":"…","field":"…","message":"…"}]}; index for an item without a key
	DetailErrors                    // {"detail":"…"}, which names neither item nor field
	TextErrors                      // the same as text/plain
	HTMLErrors                      // the same as a page
	LineErrors                      // {"errors":[{"line":4,"field":"…","message":"…"}]}, counted from 1; no line in other writes
)

// IDForm is the form in which identity numbers (ssn, org_no) are stored.
type IDForm uint8

const (
	AsSent      IDForm = iota // untouched
	WithDash                  // a dash before the last four digits
	WithoutDash               // digits alone; a plus sign, which says a century, stays
)

// RelationShape is how a reference that has a value is answered.
type RelationShape uint8

const (
	IDObject       RelationShape = iota // {"id":"…"}
	BareID                              // "…"
	ExpandedObject                      // {"id":"…","name":"…"}
	EmptyObject                         // {}
)

// Framing is what surrounds and separates the objects of a list.
type Framing uint8

const (
	AsAsked     Framing = iota // an array, with _jsonl one object a line
	AlwaysArray                // _jsonl is ignored
	AlwaysLines                // one object a line, asked for or not
	Envelope                   // {"results":[…]}, unless _jsonl is asked for
)

// PastEnd says what a page past the end is.
type PastEnd uint8

const (
	Empty    PastEnd = iota // 200 and no rows
	NotFound                // 404, page 1 excepted
)

// Paging says whether _page and _page_size have an effect.
type Paging uint8

const (
	Pages     Paging = iota // both have
	FirstPage               // _page is ignored: every page is the first
	OnePage                 // both are ignored: every page is the whole list
)

// choice is a type whose values have names.
type choice interface {
	~uint8
	names() []string // by value
}

func (Atomicity) names() []string   { return []string{"all", "partial"} }
func (ItemID) names() []string      { return []string{"updates", "refused", "ignored"} }
func (AnswerOrder) names() []string { return []string{"sent", "reversed", "shuffled"} }
func (ErrorShape) names() []string {
	return []string{"aligned", "indexed", "listed", "keyed", "detail", "text", "html", "lines"}
}
func (IDForm) names() []string        { return []string{"sent", "dash", "digits"} }
func (RelationShape) names() []string { return []string{"object", "bare", "expanded", "empty"} }
func (Framing) names() []string       { return []string{"asked", "array", "lines", "envelope"} }
func (PastEnd) names() []string       { return []string{"empty", "404"} }
func (Paging) names() []string        { return []string{"no", "first", "all"} }

// String returns the name of v.
func (v Paging) String() string { return nameOf(v) }

// Switch sets a choice by name, as a flag does.
type Switch[T choice] struct{ to *T }

// SwitchOf returns the switch that sets to.
func SwitchOf[T choice](to *T) Switch[T] { return Switch[T]{to} }

// String returns the name of the value there is.
func (s Switch[T]) String() string { return nameOf(*s.to) }

// Set takes a name.
func (s Switch[T]) Set(name string) error {
	names := (*s.to).names()
	i := slices.Index(names, name)
	if i < 0 {
		return fmt.Errorf("not one of %s", strings.Join(names, ", "))
	}
	*s.to = T(i)
	return nil
}

// Type lists the names.
func (s Switch[T]) Type() string { return strings.Join((*s.to).names(), "|") }

func nameOf[T choice](v T) string {
	if names := v.names(); int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("unknown(%d)", v)
}
