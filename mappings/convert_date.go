package mappings

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"flytt/internal/isotime"
	"flytt/pipeline"
)

// dateLayout is a parsed layout, such as D MMM YYYY.
type dateLayout []datePart

// datePart is a run of digits (or a month's name), or literal text.
type datePart struct {
	what    dateUnit
	short   bool   // one digit is enough: D, M
	literal string // for literalUnit
}

type dateUnit uint8

const (
	literalUnit   dateUnit = iota
	yearUnit               // YYYY
	shortYearUnit          // YY: 69 to 99 are 19xx, 00 to 68 are 20xx, as POSIX has it
	monthUnit              // MM, M
	monthNameUnit          // MMM, MMMM
	dayUnit                // DD, D
	hourUnit               // HH; read and dropped, as are minutes and seconds
	minuteUnit             // mm after HH
	secondUnit             // ss
)

// monthNames are the Swedish and English names; an abbreviation is a beginning
// of at least three letters.
var monthNames = [12][2]string{
	{"januari", "january"}, {"februari", "february"}, {"mars", "march"}, {"april", "april"}, {"maj", "may"}, {"juni", "june"},
	{"juli", "july"}, {"augusti", "august"}, {"september", "september"}, {"oktober", "october"}, {"november", "november"},
	{"december", "december"},
}

func buildDate(c Conversion, _ *conversionOptions) (converter, error) {
	if err := c.plain(1, 20); err != nil {
		return nil, err
	}
	layouts := make([]dateLayout, len(c.Args))
	for i, arg := range c.Args {
		layout, err := parseDateLayout(arg)
		if err != nil {
			return nil, fmt.Errorf("layout %q: %w", arg, err)
		}
		layouts[i] = layout
	}
	return func(c *call, v []byte) []byte {
		for _, layout := range layouts {
			d, ok := layout.read(v)
			if !ok {
				continue
			}
			if d.short {
				c.note(codeCentury, c.severityOf(codeCentury, pipeline.Repair), "")
			}
			c.buf = d.append(c.buf[:0])
			return c.buf
		}
		c.fail(codeDate, shape(v))
		return v
	}, nil
}

// parseDateLayout reads a layout. Upper and lower case mean the same, except
// that after hours mm is minutes.
func parseDateLayout(layout string) (dateLayout, error) {
	var parts dateLayout
	seen := map[dateUnit]bool{}
	for rest := layout; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		if !unicode.IsLetter(r) {
			parts = append(parts, datePart{literal: rest[:size]})
			rest = rest[size:]
			continue
		}
		n := len(rest) - len(strings.TrimLeft(rest, strings.ToLower(rest[:size])+strings.ToUpper(rest[:size])))
		p, ok := findDateUnit(strings.ToUpper(rest[:n]), seen[hourUnit])
		if !ok {
			return nil, fmt.Errorf("%q is none of YYYY, YY, MM, M, MMM, DD, D, HH, mm, ss", rest[:n])
		}
		if seen[p.what] {
			return nil, fmt.Errorf("%q appears twice", rest[:n])
		}
		seen[p.what] = true
		parts, rest = append(parts, p), rest[n:]
	}
	year, month := seen[yearUnit] != seen[shortYearUnit], seen[monthUnit] != seen[monthNameUnit]
	if !year || !month || !seen[dayUnit] {
		return nil, errors.New("it needs a year, a month and a day, each once")
	}
	return parts, nil
}

func findDateUnit(letters string, timed bool) (datePart, bool) {
	switch letters {
	case "YYYY":
		return datePart{what: yearUnit}, true
	case "YY":
		return datePart{what: shortYearUnit}, true
	case "MMM", "MMMM":
		return datePart{what: monthNameUnit}, true
	case "MM":
		if timed {
			return datePart{what: minuteUnit}, true
		}
		return datePart{what: monthUnit}, true
	case "M":
		return datePart{what: monthUnit, short: true}, true
	case "DD":
		return datePart{what: dayUnit}, true
	case "D":
		return datePart{what: dayUnit, short: true}, true
	case "HH":
		return datePart{what: hourUnit}, true
	case "SS":
		return datePart{what: secondUnit}, true
	}
	return datePart{}, false
}

// calendarDate is a date as it was read.
type calendarDate struct {
	year, month, day int
	short            bool // the century was not written
}

// read parses v, which must match the layout completely and be a day of the calendar.
func (l dateLayout) read(v []byte) (calendarDate, bool) {
	var d calendarDate
	for i := range l {
		n := l[i].read(v, &d)
		if n == 0 {
			return d, false
		}
		v = v[n:]
	}
	return d, len(v) == 0 && d.valid()
}

// read parses the part at the start of v into d. It returns the length of the part; 0
// if v does not start with one.
func (p *datePart) read(v []byte, d *calendarDate) int {
	switch p.what {
	case literalUnit:
		if len(v) < len(p.literal) || string(v[:len(p.literal)]) != p.literal {
			return 0
		}
		return len(p.literal)
	case monthNameUnit:
		return readMonthName(v, &d.month)
	case yearUnit:
		return readDigits(v, 4, 4, &d.year)
	case shortYearUnit:
		n := readDigits(v, 2, 2, &d.year)
		d.year, d.short = d.year+1900, true
		if d.year < 1969 {
			d.year += 100
		}
		return n
	}
	return p.readTwo(v, d)
}

func (p *datePart) readTwo(v []byte, d *calendarDate) int {
	least, value := 2, 0
	if p.short {
		least = 1
	}
	n := readDigits(v, least, 2, &value)
	switch p.what {
	case monthUnit:
		d.month = value
	case dayUnit:
		d.day = value
	case hourUnit:
		if value > 23 {
			return 0
		}
	default:
		if value > 59 {
			return 0
		}
	}
	return n
}

// readDigits reads least to most digits.
func readDigits(v []byte, least, most int, into *int) int {
	n, value := 0, 0
	for n < most && n < len(v) && v[n]-'0' <= 9 {
		value = 10*value + int(v[n]-'0')
		n++
	}
	if n < least {
		return 0
	}
	*into = value
	return n
}

// readMonthName reads a month's name or its beginning, letter case aside, with
// or without a full stop.
func readMonthName(v []byte, month *int) int {
	n := 0
	for n < len(v) && v[n]|0x20 >= 'a' && v[n]|0x20 <= 'z' {
		n++
	}
	for i := range monthNames {
		for _, name := range monthNames[i] {
			if n >= 3 && n <= len(name) && equalFoldASCII(v[:n], name[:n]) {
				*month = i + 1
				if n < len(v) && v[n] == '.' {
					n++
				}
				return n
			}
		}
	}
	return 0
}

func equalFoldASCII(v []byte, lower string) bool {
	for i, c := range v {
		if c|0x20 != lower[i] {
			return false
		}
	}
	return true
}

func (d *calendarDate) valid() bool {
	return d.year >= 1 && d.month >= 1 && d.month <= 12 && d.day >= 1 && d.day <= isotime.DaysIn(d.year, d.month)
}

// append appends the date as ISO 8601 writes it.
func (d *calendarDate) append(dst []byte) []byte {
	digit := func(n int) byte { return byte('0' + n%10) }
	return append(dst, digit(d.year/1000), digit(d.year/100), digit(d.year/10), digit(d.year), '-',
		digit(d.month/10), digit(d.month), '-', digit(d.day/10), digit(d.day))
}
