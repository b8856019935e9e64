package identity

// form is how a personnummer is written.
type form uint8

const (
	noForm    form = iota
	tenPlain       // YYMMDDNNNC
	tenHyphen      // YYMMDD-NNNC: younger than 100
	tenPlus        // YYMMDD+NNNC: 100 or older
	twelve         // YYYYMMDDNNNC or YYYYMMDD-NNNC
)

// firstYear is the earliest plausible year of birth. The numbers were introduced in
// 1947, so nobody born earlier has ever had one.
const firstYear = 1800

// ParsePersonnummer reads v as a personnummer, samordningsnummer or, if r
// allows it, interim number, written YYYYMMDDNNNC, YYYYMMDD-NNNC, YYMMDD-NNNC,
// YYMMDD+NNNC or YYMMDDNNNC. It returns the number as twelve characters, and
// every fault, warning and repair.
//
// Where the century is not written it is inferred, which is noted as
// CenturyInferred: a plus sign says that the person turns 100 this year or is
// older, a hyphen that the person is younger; with neither, r.Century decides.
// Nine digits are read with a zero before them if all rules hold for the
// result. An interim number has no check digit that could be checked.
//
// The number is returned also if it has faults, as long as it could be read:
// it is zero with Shape, ExcelNumber, OrgNumber and CenturyAmbiguous.
func ParsePersonnummer(v []byte, r *Rules) (Number, Faults) {
	if r == nil {
		r = &zeroRules
	}
	n := Number{n: 12}
	switch form := n.read(v); {
	case form == noForm:
		return parseOddPersonnummer(v, r)
	case isOrgNumber(&n.text, form):
		return Number{}, OrgNumber
	case form == twelve:
		return n, check(&n.text, r, r.today())
	default:
		return n.withCentury(form, r)
	}
}

// CheckPersonnummer checks v by the rules of ParsePersonnummer without changing it: v
// must be as the API stores it, YYYYMMDDNNNC or YYYYMMDD-NNNC. It never reports a
// repair.
func CheckPersonnummer(v []byte, r *Rules) Faults {
	if r == nil {
		r = &zeroRules
	}
	var n Number
	if form := n.read(v); form != twelve {
		return explainPersonnummer(v, r)
	} else if isOrgNumber(&n.text, form) {
		return OrgNumber
	}
	return check(&n.text, r, r.today())
}

// explainPersonnummer returns why v does not have a stored form.
func explainPersonnummer(v []byte, r *Rules) Faults {
	_, f := ParsePersonnummer(v, r)
	if f &= ExcelNumber | OrgNumber; f != 0 {
		return f
	}
	return PersonnummerShape
}

// read copies the digits of v into n, the last ten to the end, and returns the
// form v has.
func (n *Number) read(v []byte) form {
	f := noForm
	switch len(v) {
	case 12:
		f = twelve
		copy(n.text[:], v)
	case 13:
		if v[8] == '-' {
			f = twelve
			copy(n.text[:8], v)
			copy(n.text[8:], v[9:])
		}
	case 10:
		f = tenPlain
		copy(n.text[2:], v)
	case 11:
		switch v[6] {
		case '-':
			f = tenHyphen
		case '+':
			f = tenPlus
		}
		copy(n.text[2:8], v)
		copy(n.text[8:], v[7:])
	}
	if f == noForm || !n.readable(f) {
		return noForm
	}
	return f
}

// readable reports whether the characters of n that form f fills are digits,
// but for a letter, made upper case, as the first of the birth number.
func (n *Number) readable(f form) bool {
	if isLetter(n.text[8]) {
		n.text[8] &^= 0x20
	} else if !isDigit(n.text[8]) {
		return false
	}
	start := 2
	if f == twelve {
		start = 0
	}
	return allDigits(n.text[start:8]) && allDigits(n.text[9:])
}

// isOrgNumber reports whether t, read in form f, is an organisationsnummer: its
// month would be 20 or more, and the check digit is right.
func isOrgNumber(t *[12]byte, f form) bool {
	if t[4] < '2' || f == tenPlus || f == twelve && (t[0] != '1' || t[1] != '6') {
		return false
	}
	return isDigit(t[8]) && luhn10((*[10]byte)(t[2:]))
}

// parseOddPersonnummer parses what has none of the forms.
func parseOddPersonnummer(v []byte, r *Rules) (Number, Faults) {
	switch {
	case len(v) == 9 && allDigits(v):
		n := Number{n: 12}
		n.text[2] = '0'
		copy(n.text[3:], v)
		n, f := n.withCentury(tenPlain, r)
		if f&^(CenturyAmbiguous|CenturyInferred) == 0 {
			return n, f | LeadingZero
		}
	case isExcelNumber(v):
		return Number{}, ExcelNumber
	}
	return Number{}, PersonnummerShape
}

// withCentury gives n, which was read in a form of ten digits, its century,
// and checks it.
func (n Number) withCentury(f form, r *Rules) (Number, Faults) {
	today := r.today()
	year, ok := r.year(&n.text, f, today)
	if !ok {
		n.setYear(2000 + pair(n.text[2:]))
		return Number{}, check(&n.text, r, 0) | CenturyAmbiguous
	}
	n.setYear(year)
	return n, check(&n.text, r, today) | CenturyInferred
}

func (n *Number) setYear(year int) {
	n.text[0] = '0' + byte(year/1000%10)
	n.text[1] = '0' + byte(year/100%10)
}

// year returns the year of birth of t, read in form f of ten digits, or false if the rules
// do not tell it.
func (r *Rules) year(t *[12]byte, f form, today int) (int, bool) {
	yy := pair(t[2:])
	switch {
	case f == tenPlain && r.Century == RejectCentury:
		return 0, false
	case f == tenPlain && r.Century == Pivot:
		return yearFrom(r.Pivot, yy), true
	case today == 0:
		return 0, false
	case f == tenPlus:
		return yearFrom(today/10000-199, yy), true
	}
	year := yearFrom(today/10000-99, yy)
	if date(t)+year*10000 > today {
		year -= 100
	}
	return year, true
}

// yearFrom returns the year that ends in yy among the hundred from first on.
func yearFrom(first, yy int) int {
	if first < 100 {
		first += 1900
	}
	year := first - first%100 + yy
	if year < first {
		year += 100
	}
	return year
}

// date returns month and day of t as the number mmdd, a samordningsnummer's day without its 60.
func date(t *[12]byte) int {
	day := pair(t[6:])
	if day >= 60 {
		day -= 60
	}
	return pair(t[4:])*100 + day
}

// check holds t, all digits but perhaps for the letter of an interim number,
// against the rules. A today of 0 is not known.
func check(t *[12]byte, r *Rules, today int) Faults {
	f := checkDate(t, today)
	if isLetter(t[8]) {
		if !r.AllowInterim {
			f |= InterimNumber
		}
		return f
	}
	if t[8] == '0' && t[9] == '0' && t[10] == '0' {
		f |= BirthNumber
	}
	if !luhn10((*[10]byte)(t[2:])) {
		f |= CheckDigit
	}
	return f
}

// checkDate checks the date of birth that t starts with.
func checkDate(t *[12]byte, today int) Faults {
	year, month, day := pair(t[:])*100+pair(t[2:]), pair(t[4:]), pair(t[6:])
	var f Faults
	if day >= 60 && day <= 91 {
		day -= 60
		if !inCalendar(year, month, day) {
			f = CoordinationDate
		}
	} else if !inCalendar(year, month, day) {
		return ImpossibleDate
	}
	switch {
	case year < firstYear:
		return ImpossibleDate
	case today != 0 && year*10000+month*100+day > today:
		f |= FutureDate
	}
	return f
}

var monthDays = [13]uint8{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// inCalendar reports whether the Gregorian calendar has the day.
func inCalendar(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	return day <= int(monthDays[month]) ||
		month == 2 && day == 29 && year%4 == 0 && (year%100 != 0 || year%400 == 0)
}

// pair returns the number that the first two digits of t make.
func pair(t []byte) int { return int(t[0]-'0')*10 + int(t[1]-'0') }
