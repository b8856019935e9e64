package samples

import "strconv"

// checkDigit returns the digit that makes nine digits a number that passes
// Luhn's test. It is written out here, not taken from the code that the samples
// test, so that the truth does not come from there.
func checkDigit(nine []byte) byte {
	sum := 0
	for i, c := range nine {
		d := int(c-'0') * (2 - i%2)
		sum += d/10 + d%10
	}
	return byte('0' + (10-sum%10)%10)
}

// personnummer returns the twelve digits of a date and a birth number.
func personnummer(year, month, day, birth int) (n [12]byte) {
	for i, d := range [...]int{year / 1000, year / 100, year / 10, year, month / 10, month, day / 10, day, birth / 100, birth / 10, birth} {
		n[i] = byte('0' + d%10)
	}
	n[11] = checkDigit(n[2:11])
	return n
}

// birth returns one of the two birth numbers kept for test data.
func (g *generator) birth() int { return 238 + g.rng.IntN(2) }

// born returns the personnummer of somebody born in one of the years.
func (g *generator) born(first, last int) [12]byte {
	year, month := first+g.rng.IntN(last-first+1), 1+g.rng.IntN(12)
	return personnummer(year, month, 1+g.rng.IntN(days(year, month)), g.birth())
}

func days(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	}
	return 31
}

// coordination returns a samordningsnummer: sixty is added to the day.
func (g *generator) coordination() [12]byte {
	year, month := 1950+g.rng.IntN(50), 1+g.rng.IntN(12)
	return personnummer(year, month, 61+g.rng.IntN(days(year, month)), g.birth())
}

// undated returns a samordningsnummer whose date no calendar has: unknown month
// and day, unknown day, or the last of February in a hurry.
func (g *generator) undated() [12]byte {
	year := 1950 + g.rng.IntN(50)
	switch g.rng.IntN(3) {
	case 0:
		return personnummer(year, 0, 60, g.birth())
	case 1:
		return personnummer(year, 1+g.rng.IntN(12), 60, g.birth())
	}
	return personnummer(year, 2, 91, g.birth())
}

// series are the first four digits of organisation numbers that Bolagsverket
// and Skatteverket have not come to yet: limited companies, economic
// associations, non-profit associations, trading partnerships.
var series = []string{"5599", "5599", "5599", "7699", "8029", "9699"}

// organisation returns the ten digits of an organisationsnummer.
func (g *generator) organisation() (n [10]byte) {
	copy(n[:], pick(g, series))
	g.random(n[4:9])
	n[9] = checkDigit(n[:9])
	return n
}

// random fills dst with digits.
func (g *generator) random(dst []byte) {
	for i := range dst {
		dst[i] = byte('0' + g.rng.IntN(10))
	}
}

// appendDashed appends digits with a dash before the last four.
func appendDashed(dst, digits []byte) []byte {
	last := len(digits) - 4
	return append(append(append(dst, digits[:last]...), '-'), digits[last:]...)
}

// spoilt returns digits with another check digit than they ought to have.
func (g *generator) spoilt(digits []byte) []byte {
	last := len(digits) - 1
	digits[last] = '0' + (digits[last]-'0'+byte(1+g.rng.IntN(9)))%10
	return digits
}

// span is a range of telephone numbers that PTS keeps for books and films.
type span struct {
	area  string // without the leading zero
	first int64
	count int64
}

var (
	mobiles   = span{"70", 1740605, 95}
	landlines = []span{{"31", 3900600, 100}, {"40", 6280400, 100}, {"8", 46500400, 100}, {"980", 319200, 100}}
)

// phoneStyles are ways to write a number: what comes before the area code, what
// comes after it, and whether the rest stands in groups.
var phoneStyles = []struct {
	before, after string
	grouped       bool
}{
	{"0", "-", true},
	{"0", "-", false},
	{"0", "", false},
	{"0", " ", true},
	{"0", "/", false},
	{"+46 ", " ", true},
	{"+46", "", false},
	{"0046", "", false},
	{"+46 (0)", "-", true},
	{"0046 (0)", " ", true},
}

// appendPhone appends a number in the given style.
func appendPhone(dst []byte, area string, local int64, style int) []byte {
	s := &phoneStyles[style]
	dst = append(append(append(dst, s.before...), area...), s.after...)
	start := len(dst)
	dst = strconv.AppendInt(dst, local, 10)
	if !s.grouped {
		return dst
	}
	var digits [8]byte
	n := copy(digits[:], dst[start:])
	dst = dst[:start]
	for i, d := range digits[:n] {
		if i > 1 && (n-i)%2 == 0 { // pairs, the first group of three where the count is odd
			dst = append(dst, ' ')
		}
		dst = append(dst, d)
	}
	return dst
}
