package inspect

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/mappings/format"
	"flytt/mappings/identity"
)

// kind is what the values of a column look like.
type kind struct {
	name string
	fits func(v []byte) bool
}

const (
	textKind = "text" // of what fits no other
	uuidKind = "uuid"
)

// kinds are the kinds that inspect knows, the most specific first: the
// first that at least half of a column's values fit is its kind. Other numbers
// pass for a personnummer in one case of many, as its check digit has to be
// right.
func kinds(today time.Time) []kind {
	rules := identity.Rules{Today: today}
	return []kind{
		{uuidKind, format.UUID},
		{"email", isEmail},
		{"date", format.Date},
		{"date-time", isDateTime},
		{"boolean", isBoolean},
		{"personnummer", func(v []byte) bool { return isPersonnummer(v, &rules) }},
		{"organisationsnummer", func(v []byte) bool { return isOrganisationsnummer(v, &rules) }},
		{"phone", isPhone},
		{"JSON", isStructure},
		{"integer", format.Integer},
		{"number", format.Number},
	}
}

func isEmail(v []byte) bool { return bytes.IndexByte(v, '@') > 0 && format.Email(v) }

// isDateTime reports whether v is a point in time, or the date and time of day
// of one, as a workbook has it: 2006-01-02T15:04:05 or 2006-01-02 15:04.
func isDateTime(v []byte) bool {
	if len(v) < len("2006-01-02T15:04") || v[4] != '-' || v[10] != 'T' && v[10] != ' ' {
		return false
	}
	if format.DateTime(v) {
		return true
	}
	var whole [40]byte
	t := append(whole[:0], v...)
	t[10] = 'T'
	if len(t) == len("2006-01-02T15:04") {
		t = append(t, ":00"...)
	}
	return format.DateTime(append(t, 'Z'))
}

var truths = [][]byte{
	[]byte("true"), []byte("false"), []byte("ja"), []byte("nej"), []byte("yes"), []byte("no"), []byte("sant"), []byte("falskt"),
}

func isBoolean(v []byte) bool {
	is := func(word []byte) bool { return bytes.EqualFold(v, word) }
	return len(v) <= len("falskt") && slices.ContainsFunc(truths, is)
}

func isPersonnummer(v []byte, rules *identity.Rules) bool {
	if !looksNumeric(v, 9, 13) {
		return false
	}
	_, faults := identity.ParsePersonnummer(v, rules)
	return faults.Errors() == 0
}

func isOrganisationsnummer(v []byte, rules *identity.Rules) bool {
	if !looksNumeric(v, 10, 13) && !bytes.HasPrefix(v, []byte("SE")) {
		return false
	}
	_, faults := identity.ParseOrganisationsnummer(v, rules)
	return faults.Errors() == 0 && !faults.Has(identity.Personnummer)
}

// looksNumeric reports whether v is of least to most bytes and starts and ends
// with a digit: what is no number at all is recognized fast.
func looksNumeric(v []byte, least, most int) bool {
	return len(v) >= least && len(v) <= most && v[0]-'0' <= 9 && v[len(v)-1]-'0' <= 9
}

// isPhone reports whether v is a valid phone number dialled in Sweden that
// starts with a plus sign or a zero: others may be any number.
func isPhone(v []byte) bool {
	v = bytes.TrimPrefix(v, []byte("("))
	if len(v) < 6 || len(v) > 25 || v[0] != '+' && v[0] != '0' || bytes.ContainsFunc(v, notDialled) {
		return false
	}
	var buf [32]byte
	_, ok := format.AppendPhone(buf[:0], v, "SE")
	return ok
}

func notDialled(r rune) bool {
	return (r < '0' || r > '9') && !strings.ContainsRune("+-()/. \u00A0", r)
}

// isStructure reports whether v is a JSON object or array.
func isStructure(v []byte) bool {
	return (v[0] == '{' || v[0] == '[') && jsontext.Value(v).IsValid()
}
