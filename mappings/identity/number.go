package identity

import "time"

// Rules says what depends on the date and on the user's choice. A nil *Rules is the
// zero Rules.
type Rules struct {
	Today        time.Time // its calendar date is today; zero: future dates are not detected, and LatestPast cannot infer a century
	Century      Century   // how ten digits without a separator get their century
	Pivot        int       // for Pivot: the first year of the hundred that all years lie in, 1930 for 1930 to 2029; below 100 it counts from 1900
	AllowInterim bool      // a letter after the date is no fault
}

// Century is a rule for the century of ten digits without a separator. A separator
// decides it: a hyphen means under 100 years, a plus sign 100 or more.
type Century uint8

// The rules for the century.
const (
	LatestPast    Century = iota // the latest that does not put the date in the future
	Pivot                        // the one that puts the year into the hundred from Rules.Pivot
	RejectCentury                // none: CenturyAmbiguous
)

var zeroRules Rules

// today returns the date of today as the number yyyymmdd, 0 if it is not known.
func (r *Rules) today() int {
	if r.Today.IsZero() {
		return 0
	}
	y, m, d := r.Today.Date()
	return y*10000 + int(m)*100 + d
}

// Number is an identity number without separators: twelve characters for a
// personnummer, ten for an organisationsnummer, all digits except for the
// letter of an interim number. The zero Number is none.
type Number struct {
	text [12]byte
	n    uint8
}

// IsZero reports whether n is no number.
func (n Number) IsZero() bool { return n.n == 0 }

// Append appends n to dst, with a hyphen before the last four digits if dash
// is set.
func (n Number) Append(dst []byte, dash bool) []byte {
	if n.n == 0 {
		return dst
	}
	split := n.n - 4
	dst = append(dst, n.text[:split]...)
	if dash {
		dst = append(dst, '-')
	}
	return append(dst, n.text[split:n.n]...)
}

// String returns how long n is but not its digits, so that no number gets into a log by
// mistake.
func (n Number) String() string {
	switch n.n {
	case 12:
		return "12 digits"
	case 10:
		return "10 digits"
	}
	return "no number"
}
