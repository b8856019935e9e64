package format

import (
	"bytes"
	"sync"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// sweden is the region whose plain numbers AppendPhone reads itself.
const sweden = "SE"

// AppendPhone parses v as a phone number dialled in region (ISO 3166-1 alpha-2, SE if
// empty) and appends its E.164 form to dst: +46701740605. It reports false, and returns
// dst unchanged, if v is not a valid number of any region by the metadata of
// libphonenumber; a possible length is not enough. An extension is dropped, because
// E.164 has none; other letters among the digits do not count as keypad digits
// (070-CALLNOW).
//
// Swedish numbers in plain digits and the usual punctuation are parsed here, by the
// same metadata and some hundred times faster; all others by the library.
func AppendPhone(dst, v []byte, region string) ([]byte, bool) {
	if region == "" {
		region = sweden
	}
	if region == sweden {
		e164, known := appendSwedish(dst, v)
		if known {
			return e164, len(e164) > len(dst)
		}
	}
	n, err := phonenumbers.Parse(string(v), region)
	if err != nil || !phonenumbers.IsValidNumber(n) || n.GetExtension() == "" && spelt(v) {
		return dst, false
	}
	return append(dst, phonenumbers.Format(n, phonenumbers.E164)...), true
}

// spelt reports whether v has letters after its first digit. The library takes them for
// keypad digits (070-CALLNOW), which they hardly ever are here.
func spelt(v []byte) bool {
	first := bytes.IndexFunc(v, unicode.IsDigit)
	return first >= 0 && bytes.ContainsFunc(v[first:], unicode.IsLetter)
}

// maxDigits is the most digits that are read here: 00, the country code, a trunk
// 0 and the longest Swedish number, with some to spare.
const maxDigits = 20

// appendSwedish appends the E.164 form of v to dst, nothing if it is no valid
// number. It reports whether v is in a form that it knows.
func appendSwedish(dst, v []byte) (e164 []byte, known bool) {
	start := len(dst) + len("+46")
	e164, known = appendNational(append(dst, "+46"...), v)
	if !known || !swedishPlan().valid(e164[start:]) {
		return dst, known
	}
	return e164, true
}

// appendNational appends the digits of v without country code and trunk 0, if
// v is digits, spaces, hyphens and parentheses that begin with +46, 0046 or the
// trunk 0: forms that can only be a Swedish number.
func appendNational(dst, v []byte) ([]byte, bool) {
	plus := len(v) > 0 && v[0] == '+'
	if plus {
		v = v[1:]
		if len(v) == 0 || !isDigit(v[0]) {
			return dst, false
		}
	}
	start := len(dst)
	for _, c := range v {
		switch {
		case isDigit(c):
			dst = append(dst, c)
		case c != ' ' && c != '-' && c != '(' && c != ')':
			return dst, false
		}
	}
	digits := dst[start:]
	rest, ok := cutPrefix(digits, plus)
	if !ok || len(digits) > maxDigits {
		return dst, false
	}
	return append(dst[:start], rest...), true
}

// cutPrefix takes country code and trunk 0 away from digits.
func cutPrefix(digits []byte, plus bool) ([]byte, bool) {
	if !plus {
		rest, ok := bytes.CutPrefix(digits, []byte("00"))
		if !ok {
			return bytes.CutPrefix(digits, []byte("0"))
		}
		digits = rest
	}
	digits, ok := bytes.CutPrefix(digits, []byte("46"))
	return bytes.TrimPrefix(digits, []byte("0")), ok
}

// plan is the numbering plan of a country: the forms its numbers have, each a
// pattern and the lengths allowed. A valid number has the general form and one
// of the others.
type plan struct {
	general numberForm
	forms   []numberForm
}

type numberForm struct {
	pattern *Pattern
	lengths uint32 // bit i: i digits are allowed; 0: as the pattern says
}

func (p *plan) valid(digits []byte) bool {
	if !p.general.match(digits) {
		return false
	}
	for i := range p.forms {
		if p.forms[i].match(digits) {
			return true
		}
	}
	return false
}

func (f *numberForm) match(digits []byte) bool {
	return (f.lengths == 0 || f.lengths&(1<<len(digits)) != 0) && f.pattern.Match(digits)
}

// swedishPlan returns the plan for Sweden from the metadata of the library.
var swedishPlan = sync.OnceValue(func() *plan {
	all, err := phonenumbers.MetadataCollection()
	if err != nil {
		panic("phone metadata: " + err.Error()) // it is embedded, and the library has read it already
	}
	for _, m := range all.GetMetadata() {
		if m.GetId() == sweden {
			return newPlan(m)
		}
	}
	panic("phone metadata: no " + sweden)
})

func newPlan(m *phonenumbers.PhoneMetadata) *plan {
	p := &plan{general: newNumberForm(m.GetGeneralDesc())}
	for _, d := range []*phonenumbers.PhoneNumberDesc{
		m.GetMobile(), m.GetFixedLine(), m.GetTollFree(), m.GetPremiumRate(), m.GetSharedCost(),
		m.GetVoip(), m.GetPersonalNumber(), m.GetPager(), m.GetUan(), m.GetVoicemail(),
	} {
		p.forms = append(p.forms, newNumberForm(d))
	}
	return p
}

func newNumberForm(d *phonenumbers.PhoneNumberDesc) numberForm {
	pattern, err := CompilePattern("^(?:" + d.GetNationalNumberPattern() + ")$")
	if err != nil {
		panic("phone metadata: " + err.Error())
	}
	f := numberForm{pattern: pattern}
	for _, n := range d.GetPossibleLength() {
		f.lengths |= 1 << n
	}
	return f
}
