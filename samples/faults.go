package samples

import "strconv"

// fault is one way in which a row of an old register is wrong.
type fault struct {
	name   string
	inject func(g *generator, r *row)
}

// faults are injected in turn, so that a register with as many faulty rows as
// there are entries has each of them. Each makes sure that the row has no
// problem in the field other than the one it stands for.
var faults = []fault{
	{"personnummer: wrong check digit", func(g *generator, r *row) {
		n := g.born(1940, 2007)
		r.cells[colSSN] = appendDashed(r.cells[colSSN][:0], g.spoilt(n[:]))
		r.fail(fieldSSN, "check_digit")
	}},
	{"personnummer: impossible date", func(g *generator, r *row) {
		d := pick(g, impossible)
		n := personnummer(d[0], d[1], d[2], g.birth())
		r.cells[colSSN] = append(r.cells[colSSN][:0], n[:]...)
		r.fail(fieldSSN, "impossible_date")
	}},
	{"personnummer: birth number 000", func(g *generator, r *row) {
		n := personnummer(1940+g.rng.IntN(60), 1+g.rng.IntN(12), 1+g.rng.IntN(28), 0)
		r.cells[colSSN] = append(r.cells[colSSN][:0], n[:]...)
		r.fail(fieldSSN, "birth_number")
	}},
	{"personnummer: future date", func(g *generator, r *row) {
		n := g.born(2085, 2099)
		r.cells[colSSN] = appendDashed(r.cells[colSSN][:0], n[:])
		r.fail(fieldSSN, "future_date")
	}},
	{"personnummer: interim number", func(g *generator, r *row) {
		n := g.born(1940, 2007)
		n[8] = pick(g, []byte("TRSUWXJKLMN"))
		r.cells[colSSN] = appendDashed(r.cells[colSSN][:0], n[:])
		r.fail(fieldSSN, "interim_number")
	}},
	{"personnummer: an organisationsnummer", func(g *generator, r *row) {
		n := g.organisation()
		r.cells[colSSN] = appendDashed(r.cells[colSSN][:0], n[:])
		r.fail(fieldSSN, "org_no_as_ssn")
	}},
	{"personnummer: digits missing", func(g *generator, r *row) {
		n := g.born(1940, 2007)
		r.cells[colSSN] = append(append(append(r.cells[colSSN][:0], n[2:8]...), '-'), n[8:11]...)
		r.fail(fieldSSN, "personnummer_shape")
	}},
	{"personnummer: eaten by Excel", func(g *generator, r *row) {
		n := g.born(1940, 2007)
		r.cells[colSSN] = appendExcel(r.cells[colSSN][:0], n[:])
		r.fail(fieldSSN, "excel_number")
	}},
	{"organisationsnummer: wrong check digit", func(g *generator, r *row) {
		n := g.organisation()
		r.cells[colOrg] = appendDashed(r.cells[colOrg][:0], g.spoilt(n[:]))
		r.fail(fieldOrg, "check_digit")
	}},
	{"organisationsnummer: third digit", func(g *generator, r *row) {
		n := g.organisation()
		n[2], n[3] = '1', byte('3'+g.rng.IntN(7)) // a month from 13 to 19: no personnummer either
		n[9] = checkDigit(n[:9])
		r.cells[colOrg] = appendDashed(r.cells[colOrg][:0], n[:])
		r.fail(fieldOrg, "third_digit")
	}},
	{"organisationsnummer: digits missing", func(g *generator, r *row) {
		n := g.organisation()
		r.cells[colOrg] = append(append(append(r.cells[colOrg][:0], n[:6]...), '-'), n[6:9]...)
		r.fail(fieldOrg, "org_no_shape")
	}},
	{"organisationsnummer: eaten by Excel", func(g *generator, r *row) {
		n := g.organisation()
		r.cells[colOrg] = appendExcel(r.cells[colOrg][:0], n[:])
		r.fail(fieldOrg, "excel_number")
	}},
	{"name: none", func(g *generator, r *row) {
		r.set(colName, pick(g, []string{"", "NULL", "  "}))
		r.fail(fieldName, "required")
	}},
	{"name: too long", func(g *generator, r *row) {
		r.cells[colName] = appendLong(r.cells[colName][:0], maxName+1+g.rng.IntN(40))
		r.fail(fieldName, "too_long")
	}},
	{"company: too long", func(g *generator, r *row) {
		r.cells[colCompany] = appendLong(r.cells[colCompany][:0], maxName+1)
		r.fail(fieldCompany, "too_long")
	}},
	{"e-mail: not an address", func(g *generator, r *row) {
		r.set(colEmail, pick(g, badEmails))
		r.fail(fieldEmail, "email")
	}},
	{"phone: not a number", func(g *generator, r *row) {
		r.set(colMobile, pick(g, badPhones))
		r.fail(fieldPhone, "phone")
	}},
	{"client: not in the table", func(g *generator, r *row) {
		r.cells[colClient] = strconv.AppendInt(r.cells[colClient][:0], 900_000+g.rng.Int64N(1000), 10)
		r.fail(fieldClient, "lookup_missing")
	}},
	{"client: none", func(g *generator, r *row) {
		r.set(colClient, pick(g, []string{"", "NULL"}))
		r.fail(fieldClient, "required")
	}},
	{"row: too few cells", func(g *generator, r *row) {
		r.count = columns - 1 - g.rng.IntN(5)
		r.spoil("ragged_row")
	}},
	{"row: too many cells", func(g *generator, r *row) {
		r.raw = colNote
		r.set(colNote, "Ring först; annars mejla")
		r.spoil("ragged_row")
	}},
	{"row: quote in a cell that is not quoted", func(g *generator, r *row) {
		r.raw = colCompany
		r.set(colNote, "")
		r.set(colCompany, "Rör 3/4\" i Borås AB")
		r.spoil("bare_quote")
	}},
	{"row: text after a closing quote", func(g *generator, r *row) {
		r.raw = colCompany
		r.set(colNote, "")
		r.set(colCompany, "\"Hem & Hus\" i Ystad AB")
		r.spoil("text_after_quote")
	}},
	{"row: a byte that is no character", func(g *generator, r *row) {
		r.set(colFirst, "Bj\x81rn") // in neither encoding
		r.spoil("invalid_encoding")
	}},
	{"several at once", func(g *generator, r *row) {
		n := g.born(1940, 2007)
		r.cells[colSSN] = append(r.cells[colSSN][:0], g.spoilt(n[:])...)
		r.set(colName, "")
		r.set(colEmail, pick(g, badEmails))
		r.fail(fieldSSN, "check_digit")
		r.fail(fieldName, "required")
		r.fail(fieldEmail, "email")
	}},
}

// impossible are dates that no calendar has.
var impossible = [][3]int{{1985, 2, 30}, {1983, 2, 29}, {1900, 2, 29}, {1976, 4, 31}, {1968, 13, 1}, {1991, 0, 12}, {1979, 6, 0}, {1954, 11, 31}}

var badEmails = []string{"anna.ek(at)example.se", "anna.ek@example", "anna ek@example.se", "@example.se", "anna.ek@example..se",
	"anna.ek@example.se; erik.ek@example.se", "anna.ek@@example.se", "anna.ek@-example.se", "saknar e-post"}

var badPhones = []string{"070-174 06", "ring växeln", "070-174 06 O5", "1740605", "08-465", "+46 70 174 06 05 99", "000-000 00 00"}

// appendExcel appends the number as a Swedish Excel shows one that it took for
// a quantity: 1,98501E+11.
func appendExcel(dst, digits []byte) []byte {
	dst = append(append(append(dst, digits[0]), ','), digits[1:6]...)
	return append(append(dst, "E+"...), exponents[len(digits)-1]...)
}

var exponents = map[int]string{9: "09", 11: "11"}
