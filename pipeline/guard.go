package pipeline

import "bytes"

// Files that a person opens in a spreadsheet (rejects.csv and its kin) guard
// their cells: one that Excel or LibreOffice would take for something other
// than the text it is gets an apostrophe in front. Such a cell is
//
//   - a formula: it starts with = + - @, one of their full-width forms or a
//     control character, white space aside (CWE-1236, formula injection);
//   - a number that would not be saved again as the same text: a leading zero,
//     more than eleven digits (198501022399 is shown, and saved, as
//     1.98501E+11), a fraction, an exponent, a percentage, thousands apart;
//   - a date, a time or a truth value: 1-2, 3/4, 12:30, 5 mars, SANT.
//
// Apostrophes that a cell starts with do not count when that is decided, so
// that taking one off a guarded cell gives back exactly the cell it was. The
// apostrophe is plain text to every reader, no formula as ="…" is, and sets no
// limit to the length.

// GuardCell appends v to dst as it stands in a guarded file.
func GuardCell(dst, v []byte) []byte {
	if Guarded(v) {
		dst = append(dst, '\'')
	}
	return append(dst, v...)
}

// UnguardCell returns the cell that GuardCell turned into v. A cell without a
// guard, as a person types it, is returned as it is.
func UnguardCell(v []byte) []byte {
	if len(v) > 0 && v[0] == '\'' && Guarded(v) {
		return v[1:]
	}
	return v
}

// Guarded reports whether GuardCell puts an apostrophe in front of v.
func Guarded(v []byte) bool {
	for len(v) > 0 && v[0] == '\'' {
		v = v[1:]
	}
	if len(v) == 0 {
		return false
	}
	switch starts[v[0]] {
	case startsSpace:
		trimmed := trimBlank(v)
		return len(trimmed) > 0 && (opensFormula(trimmed) || readsAsDigits(v))
	case startsFormula:
		return true
	case startsWide:
		return opensFormula(v)
	case startsNumber:
		return readsAsDigits(v)
	case startsWord:
		return readsAsWord(v)
	}
	return false
}

// start is what the first byte of a cell makes possible.
type start uint8

const (
	startsText    start = iota // nothing but text
	startsSpace                // white space: what follows decides
	startsFormula              // a formula
	startsWide                 // perhaps a full-width sign
	startsNumber               // a number, a date, a time
	startsWord                 // the name of a month, a truth value
)

var starts = func() (t [256]start) {
	for c := range ' ' {
		t[c] = startsFormula
	}
	for _, c := range "=+-@" {
		t[c] = startsFormula
	}
	for _, c := range "0123456789.,($" {
		t[c] = startsNumber
	}
	for _, c := range "jfmasondtJFMASONDT" {
		t[c] = startsWord
	}
	t[' '], t[0xC2] = startsSpace, startsSpace // 0xC2 0xA0 is a no-break space
	t[0xEF] = startsWide
	return t
}()

// opensFormula reports whether v starts as a formula does.
func opensFormula(v []byte) bool {
	if starts[v[0]] == startsFormula {
		return true
	}
	if len(v) < 3 || v[0] != 0xEF {
		return false
	}
	switch [2]byte(v[1:3]) {
	case [2]byte{0xBC, 0x9D}, [2]byte{0xBC, 0x8B}, [2]byte{0xBC, 0x8D}, [2]byte{0xBC, 0xA0}: // ＝ ＋ － ＠
		return true
	case [2]byte{0xBB, 0xBF}: // a byte order mark, which readers drop
		return len(v) > 3 && opensFormula(v[3:])
	}
	return false
}

// groups is how digits are grouped in a cell that holds little else.
type groups struct {
	digits    int  // in all
	run       int  // in the group being read
	longest   int  // digits in the longest group
	spaced    bool // blanks around them all
	dash      bool // a - between groups
	space     bool // a space between groups
	other     bool // any other sign of a number, a date or a time
	thousands bool // every group but the first has three digits
}

func (g *groups) end() {
	if g.run == 0 {
		return
	}
	g.longest = max(g.longest, g.run)
	if g.run < g.digits && g.run != 3 {
		g.thousands = false
	}
	g.run = 0
}

// readsAsDigits reports whether v, which starts as a number may, would be read
// as a number, a date or a time and saved as another text. A spreadsheet drops
// the spaces around a number.
func readsAsDigits(v []byte) bool {
	trimmed := trimBlank(v)
	g := groups{spaced: len(trimmed) < len(v), thousands: true}
	for i, c := range trimmed {
		switch {
		case '0' <= c && c <= '9':
			g.digits++
			g.run++
			continue
		case c == '-':
			g.dash = true
		case c == ' ' || c == 0xC2 || c == 0xA0:
			g.space = true
		case c == '.' || c == ',' || c == ':' || c == '/' || c == '%' || c == '(' || c == ')' || c == '$' || c == '+' || c == 'e' || c == 'E':
			g.other = true
		case isLetter(c):
			return readsAsDate(trimmed, i)
		default:
			return false
		}
		g.end()
	}
	g.end()
	return g.read(trimmed)
}

// read decides by the groups. What only people write stays plain: identity
// numbers (850102-2399), phone numbers (08-123 45 67), postal codes (123 45).
func (g *groups) read(v []byte) bool {
	switch {
	case g.digits == 0:
		return false
	case g.other:
		return true
	case g.dash && g.space:
		return false
	case g.dash:
		return g.longest <= 4
	case g.space:
		return g.thousands
	}
	return g.spaced || g.digits > 11 || v[0] == '0' && g.digits > 1
}

// readsAsDate reports whether v, whose first letter is at v[i], is a date with
// the name of its month, or a time with am or pm.
func readsAsDate(v []byte, i int) bool {
	n := i
	for n < len(v) && isLetter(v[n]) {
		n++
	}
	if wordOf(v[i:n]) != month {
		return false
	}
	digits := false
	for j, c := range v {
		switch {
		case '0' <= c && c <= '9':
			digits = true
		case i <= j && j < n, c == ' ', c == '-', c == '.', c == ',', c == '/', c == ':', c == '\'':
		default:
			return false
		}
	}
	return digits
}

// readsAsWord is readsAsDate for a cell that starts with a letter, and knows
// the truth values too.
func readsAsWord(v []byte) bool {
	n := 0
	for n < len(v) && isLetter(v[n]) {
		n++
	}
	if n == len(bytes.TrimRight(v, " ")) {
		return wordOf(v[:n]) == truth
	}
	return readsAsDate(v, 0)
}

type word uint8

const (
	anyWord word = iota
	month        // or am, pm and the Swedish fm, em
	truth
)

var words = map[string]word{
	"true": truth, "false": truth, "sant": truth, "falskt": truth,
	"am": month, "pm": month, "fm": month, "em": month,
	"jan": month, "january": month, "januari": month,
	"feb": month, "february": month, "februari": month,
	"mar": month, "march": month, "mars": month,
	"apr": month, "april": month,
	"may": month, "maj": month,
	"jun": month, "june": month, "juni": month,
	"jul": month, "july": month, "juli": month,
	"aug": month, "august": month, "augusti": month,
	"sep": month, "sept": month, "september": month,
	"oct": month, "october": month, "okt": month, "oktober": month,
	"nov": month, "november": month,
	"dec": month, "december": month,
}

func wordOf(v []byte) word {
	var lower [9]byte // september
	if len(v) > len(lower) {
		return anyWord
	}
	for i, c := range v {
		lower[i] = c | 0x20
	}
	return words[string(lower[:len(v)])]
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// trimBlank returns v without the spaces and no-break spaces around it.
func trimBlank(v []byte) []byte {
	for {
		trimmed := bytes.Trim(v, " ")
		trimmed = bytes.TrimPrefix(trimmed, noBreakSpace)
		trimmed = bytes.TrimSuffix(trimmed, noBreakSpace)
		if len(trimmed) == len(v) {
			return v
		}
		v = trimmed
	}
}

var noBreakSpace = []byte("\u00A0")
