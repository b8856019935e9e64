package samples

import "strconv"

// fill makes row n one that passes, though some of its values need a repair or
// deserve a warning.
func (g *generator) fill(n int64) {
	r := &g.row
	first, last := pick(g, firstNames), pick(g, lastNames)
	r.cells[colContact] = appendPadded(append(r.cells[colContact], 'K'), n, 7)
	r.truth.values[fieldKey] = append(append(r.truth.values[fieldKey], keyPrefix...), r.cells[colContact]...)
	g.client(r)
	g.names(r, first.text, last.text)
	title := &titles[g.rng.IntN(len(titles))]
	r.set(colTitle, title.written)
	r.want(fieldTitle, title.meant)
	g.numbers(r)
	g.email(r, first.mail, last.mail, n)
	g.phones(r)
	g.lease(r)
	if g.rng.IntN(3) == 0 {
		r.set(colNote, pick(g, notes))
	}
}

// keyPrefix is what the mapping puts before the contact's number, so that keys
// of two registers never meet.
const keyPrefix = "HYRA-"

// client refers to a client that the table has, by its bare number or in the
// older way with a K before it.
func (g *generator) client(r *row) {
	cell := r.cells[colClient]
	if g.rng.IntN(10) == 0 {
		cell = append(cell, "K-"...)
	}
	i := g.rng.Int64N(g.o.Clients())
	r.cells[colClient] = strconv.AppendInt(cell, firstClient+i, 10)
	r.truth.values[fieldClient] = appendUUID(r.truth.values[fieldClient], g.o.Seed, uint64(i))
}

func (g *generator) names(r *row, first, last string) {
	r.set(colFirst, first)
	r.set(colLast, last)
	r.want(fieldFirst, r.cells[colFirst])
	r.want(fieldLast, r.cells[colLast])
	name := append(append(append(r.truth.values[fieldName], first...), ' '), last...)
	switch g.rng.IntN(200) {
	case 0: // as long as a name may be, in characters: longer in bytes
		name = appendLong(name[:0], maxName)
		r.cells[colName] = append(r.cells[colName], name...)
	case 1, 2, 3: // someone leant on the space bar
		r.cells[colName] = append(append(append(r.cells[colName], first...), "   "...), last...)
	default:
		r.cells[colName] = append(r.cells[colName], name...)
	}
	r.truth.values[fieldName] = name
}

// maxName is the API's bound on names, in characters.
const maxName = 255

// appendLong appends a name of so many characters.
func appendLong(dst []byte, characters int) []byte {
	pattern := []rune("Dödsboet efter Åke Österström och ")
	for i := range characters - 1 {
		dst = append(dst, string(pattern[i%len(pattern)])...)
	}
	return append(dst, 'x') // not a space, which would be trimmed
}

// numbers gives the row a personnummer, an organisationsnummer with a company,
// both (a sole trader) or neither.
func (g *generator) numbers(r *row) {
	switch k := g.rng.IntN(100); {
	case k < 60:
		g.ssn(r)
		g.empty(r, colOrg)
		g.empty(r, colCompany)
	case k < 85:
		g.empty(r, colSSN)
		g.org(r)
		g.company(r)
	case k < 92:
		g.ssn(r)
		g.org(r)
		g.company(r)
	case k < 95: // a sole trader's org number is a personnummer
		p := g.born(1940, 2005)
		r.cells[colSSN] = append(r.cells[colSSN], p[:]...)
		r.cells[colOrg] = appendDashed(r.cells[colOrg], p[2:])
		r.want(fieldSSN, p[:])
		r.want(fieldOrg, p[2:])
		r.note(fieldOrg, "personnummer_as_org_no", warning)
		g.company(r)
	default:
		g.empty(r, colSSN)
		g.empty(r, colOrg)
	}
}

func (g *generator) company(r *row) {
	r.set(colCompany, pick(g, companies))
	r.want(fieldCompany, r.cells[colCompany])
}

// ssn writes a personnummer or a samordningsnummer in one of the ways found in
// old registers.
func (g *generator) ssn(r *row) {
	cell, n := r.cells[colSSN], g.born(1940, 2007)
	switch k := g.rng.IntN(100); {
	case k < 3:
		n = g.coordination()
		cell = append(cell, n[:]...)
	case k < 5:
		n = g.undated()
		cell = appendDashed(cell, n[:])
		r.note(fieldSSN, "coordination_date", warning)
	case k < 8:
		n = g.born(1915, 1925)
		cell = append(append(append(cell, n[2:8]...), '+'), n[8:]...)
		r.note(fieldSSN, "century_inferred", repair)
	case k < 10: // a spreadsheet took the zero that the year begins with
		n = g.born(2001, 2007)
		cell = append(cell, n[3:]...)
		r.note(fieldSSN, "century_inferred", repair)
		r.note(fieldSSN, "leading_zero", repair)
	case k < 45:
		cell = appendDashed(cell, n[:])
	case k < 70:
		cell = append(cell, n[:]...)
	case k < 90:
		cell = appendDashed(cell, n[2:])
		r.note(fieldSSN, "century_inferred", repair)
	default:
		cell = append(cell, n[2:]...)
		r.note(fieldSSN, "century_inferred", repair)
	}
	r.cells[colSSN] = cell
	r.want(fieldSSN, n[:])
}

// org writes an organisationsnummer in one of the ways found in old registers.
func (g *generator) org(r *row) {
	cell, n := r.cells[colOrg], g.organisation()
	switch k := g.rng.IntN(100); {
	case k < 60:
		cell = appendDashed(cell, n[:])
	case k < 85:
		cell = append(cell, n[:]...)
	case k < 90:
		cell = append(append(cell, "16"...), n[:]...)
		r.note(fieldOrg, "prefix_16", repair)
	case k < 93:
		cell = appendDashed(append(cell, "16"...), n[:])
		r.note(fieldOrg, "prefix_16", repair)
	default:
		cell = append(append(append(cell, "SE"...), n[:]...), "01"...)
		r.note(fieldOrg, "vat_number", repair)
	}
	r.cells[colOrg] = cell
	r.want(fieldOrg, n[:])
}

func (g *generator) email(r *row, first, last string, n int64) {
	if g.rng.IntN(5) == 0 {
		g.empty(r, colEmail)
		return
	}
	user := append(append(append(r.cells[colEmail], first...), '.'), last...)
	user = append(strconv.AppendInt(user, n, 10), '@')
	domain := &domains[g.rng.IntN(len(domains))]
	r.want(fieldEmail, user)
	r.truth.values[fieldEmail] = append(r.truth.values[fieldEmail], domain.meant...)
	r.cells[colEmail] = append(user, domain.written...)
}

// phones writes a landline, a mobile, both or neither. The mapping prefers the
// mobile.
func (g *generator) phones(r *row) {
	g.empty(r, colPhone)
	g.empty(r, colMobile)
	if g.rng.IntN(3) == 0 {
		g.phone(r, colPhone, &landlines[g.rng.IntN(len(landlines))])
	}
	if g.rng.IntN(3) > 0 {
		g.phone(r, colMobile, &mobiles)
	}
}

func (g *generator) phone(r *row, column int, s *span) {
	local := s.first + g.rng.Int64N(s.count)
	r.cells[column] = appendPhone(r.cells[column][:0], s.area, local, g.rng.IntN(len(phoneStyles)))
	e164 := append(append(r.truth.values[fieldPhone][:0], "+46"...), s.area...)
	r.truth.values[fieldPhone] = strconv.AppendInt(e164, local, 10)
}

// lease fills in what the old system was about and the mapping leaves out, but
// for the status, by which it leaves out rows.
func (g *generator) lease(r *row) {
	cell := appendPadded(r.cells[colObject], 1+g.rng.Int64N(40), 2)
	r.cells[colObject] = appendPadded(append(cell, '-'), 1001+100*g.rng.Int64N(9), 4)
	if r.closed = g.rng.IntN(25) == 0; r.closed {
		r.set(colStatus, "Avslutad")
	} else {
		r.set(colStatus, pick(g, statuses))
	}
	cell = strconv.AppendInt(r.cells[colChanged], 1998+g.rng.Int64N(28), 10)
	cell = appendPadded(append(cell, '-'), 1+g.rng.Int64N(12), 2)
	r.cells[colChanged] = appendPadded(append(cell, '-'), 1+g.rng.Int64N(28), 2)
}

// empty writes nothing, most often, or one of the words such systems have for
// it.
func (g *generator) empty(r *row, column int) {
	switch g.rng.IntN(12) {
	case 0:
		r.set(column, "NULL")
	case 1:
		r.set(column, "-")
	case 2:
		r.set(column, " ")
	}
}

func appendPadded(dst []byte, n int64, width int) []byte {
	var buf [20]byte
	digits := strconv.AppendInt(buf[:0], n, 10)
	for range width - len(digits) {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}
