package identity

// ParseOrganisationsnummer reads v as an organisationsnummer, written
// NNNNNN-NNNN or NNNNNNNNNN, either with 16 before it, or as a VAT number
// SENNNNNNNNNN01. It returns the number as ten digits, and every fault, warning
// and repair.
//
// A personnummer or samordningsnummer of ten or twelve digits is accepted with
// the warning Personnummer: it is what a sole trader has. Nine digits are read
// with a zero before them if that makes a personnummer for which all rules hold.
//
// The number is returned also if it has faults, as long as it could be read:
// it is zero with Shape and ExcelNumber.
func ParseOrganisationsnummer(v []byte, r *Rules) (Number, Faults) {
	n := Number{n: 10}
	var f Faults
	switch {
	case n.readTen(v):
	case len(v) >= 12 && v[0] == '1' && v[1] == '6' && n.readTen(v[2:]):
		f = Prefix16
	case len(v) == 14 && v[0]|0x20 == 's' && v[1]|0x20 == 'e' && v[12] == '0' && v[13] == '1' && n.readTen(v[2:12]):
		f = VATNumber
	default:
		return parseOddOrganisationsnummer(v, r)
	}
	return n, f | checkTen((*[10]byte)(n.text[:]))
}

// CheckOrganisationsnummer checks v by the rules of ParseOrganisationsnummer without
// changing it: v must be as the API stores it, NNNNNNNNNN or NNNNNN-NNNN. It never
// reports a repair.
func CheckOrganisationsnummer(v []byte, _ *Rules) Faults {
	var n Number
	switch {
	case n.readTen(v):
		return checkTen((*[10]byte)(n.text[:]))
	case isExcelNumber(v):
		return ExcelNumber
	}
	return OrgNoShape
}

// readTen copies the ten digits of v, which may have a hyphen before the last
// four, into n.
func (n *Number) readTen(v []byte) bool {
	switch {
	case len(v) == 10:
		copy(n.text[:10], v)
	case len(v) == 11 && v[6] == '-':
		copy(n.text[:6], v)
		copy(n.text[6:10], v[7:])
	default:
		return false
	}
	return allDigits(n.text[:10])
}

// checkTen checks the digits t by the rules of an organisationsnummer, or of a
// personnummer in its place.
func checkTen(t *[10]byte) Faults {
	if t[2] >= '2' {
		if !luhn10(t) {
			return CheckDigit
		}
		return 0
	}
	// Without a century, 29 February is given the benefit of the doubt: of the
	// years that end in 00, 2000 had one.
	var p [12]byte
	p[0], p[1] = '2', '0'
	copy(p[2:], t[:])
	f := check(&p, &zeroRules, 0)
	if isNoDate(f, t[2:]) {
		return f&CheckDigit | ThirdDigit
	}
	return f | Personnummer
}

// isNoDate reports whether the date that starts with month has the faults f and so
// makes the number no personnummer, where another number is expected. A
// samordningsnummer may have a date that does not exist, but its month is 00 to 12.
func isNoDate(f Faults, month []byte) bool {
	return f.Has(ImpossibleDate) || f.Has(CoordinationDate) && pair(month) > 12
}

// parseOddOrganisationsnummer parses what has none of the forms of an
// organisationsnummer.
func parseOddOrganisationsnummer(v []byte, r *Rules) (Number, Faults) {
	switch {
	case len(v) == 9 && allDigits(v):
		n := Number{n: 10}
		n.text[0] = '0'
		copy(n.text[1:10], v)
		// The first digit of an organisationsnummer is the kind of legal person, 1
		// to 9: only a personnummer can have lost a zero.
		if f := checkTen((*[10]byte)(n.text[:])); f == Personnummer {
			return n, f | LeadingZero
		}
	case isExcelNumber(v):
		return Number{}, ExcelNumber
	case len(v) == 12 || len(v) == 13:
		return parseSoleTrader(v, r)
	}
	return Number{}, OrgNoShape
}

// parseSoleTrader reads v as a personnummer of twelve digits and returns its
// last ten.
func parseSoleTrader(v []byte, r *Rules) (Number, Faults) {
	p, f := ParsePersonnummer(v, r)
	if p.IsZero() || isNoDate(f, p.text[4:]) || isLetter(p.text[8]) {
		return Number{}, OrgNoShape
	}
	n := Number{n: 10}
	copy(n.text[:10], p.text[2:])
	return n, f | Personnummer
}
