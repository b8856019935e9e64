package api

// IndexBase says from which number an API counts the items of a request when its errors
// name items by number. APIs do not document it, so it is learned from the errors
// themselves: see [ParseRefusals].
type IndexBase uint8

const (
	UnknownBase IndexBase = iota // nothing is known yet
	FromZero                     // the first item is number 0
	FromOne                      // the first item is number 1
	MixedBase                    // the evidence contradicts itself: numbers name no item
)

// With returns what is known if b was known and seen was learned. Evidence that
// contradicts b is never resolved: it stays MixedBase.
func (b IndexBase) With(seen IndexBase) IndexBase {
	switch {
	case seen == UnknownBase || seen == b:
		return b
	case b == UnknownBase:
		return seen
	}
	return MixedBase
}

// item returns the index of the item that has this number, of n items.
func (b IndexBase) item(number, n int) (int, bool) {
	switch b {
	case FromZero:
	case FromOne:
		number--
	default:
		return 0, false
	}
	return number, number >= 0 && number < n
}

// baseEvidence is what the numbers in one error body say about the base.
type baseEvidence struct {
	notZero, notOne bool // numbers that do not fit that base were seen
	lines           bool // numbers of lines were seen, which people count from 1
}

// number records that an item of n has this number.
func (e *baseEvidence) number(number, n int) {
	_, zero := FromZero.item(number, n)
	_, one := FromOne.item(number, n)
	e.notZero, e.notOne = e.notZero || !zero, e.notOne || !one
}

// numberOf records that the item with this index has this number.
func (e *baseEvidence) numberOf(item, number int) {
	e.notZero, e.notOne = e.notZero || number != item, e.notOne || number != item+1
}

// join adds other evidence of the same body.
func (e *baseEvidence) join(other baseEvidence) {
	e.notZero, e.notOne, e.lines = e.notZero || other.notZero, e.notOne || other.notOne, e.lines || other.lines
}

// base returns what the evidence proves.
func (e *baseEvidence) base() IndexBase {
	switch {
	case e.notZero && e.notOne:
		return MixedBase
	case e.notZero:
		return FromOne
	case e.notOne:
		return FromZero
	}
	return UnknownBase
}

// with returns what is known if base was known before. A line number is taken to count
// from 1 if nothing else is known.
func (e *baseEvidence) with(base IndexBase) IndexBase {
	known := base.With(e.base())
	if known == UnknownBase && e.lines {
		return FromOne
	}
	return known
}
