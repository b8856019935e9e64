package format

import (
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// sweden is the region whose plain numbers AppendPhone reads itself.
const sweden = "SE"

// AppendPhone reads v as a phone number dialled in region (ISO 3166-1 alpha-2,
// SE if empty) and appends its E.164 form to dst: +46701740605. It reports
// false, and returns dst as it was, if v is no valid number of any region by
// the metadata of libphonenumber; a possible length is not enough. An
// extension is dropped, as E.164 has none.
//
// Swedish numbers in plain digits and the usual punctuation are read here, by
// the same metadata and some hundred times faster; all others by the library.
func AppendPhone(dst, v []byte, region string) ([]byte, bool) {
	if region == "" {
		region = sweden
	}
	if region == sweden {
		if n, ok := readSwedish(v); ok {
			return appendSwedish(dst, n)
		}
	}
	n, err := phonenumbers.Parse(string(v), region)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return dst, false
	}
	return append(dst, phonenumbers.Format(n, phonenumbers.E164)...), true
}

// maxDigits is the most digits that readSwedish reads: 00, the country code, a
// trunk 0 and the longest Swedish number, with some to spare.
const maxDigits = 20

// national is the digits of a phone number without country code and trunk 0.
type national struct {
	digits [maxDigits]byte
	start  int
	end    int
}

// readSwedish reads v if it is digits, spaces, hyphens and parentheses that
// begin with +46, 0046 or the trunk 0: forms that can only be a Swedish number.
func readSwedish(v []byte) (n national, ok bool) {
	plus := len(v) > 0 && v[0] == '+'
	if plus {
		v = v[1:]
		if len(v) == 0 || !isDigit(v[0]) {
			return n, false
		}
	}
	for _, c := range v {
		switch {
		case isDigit(c):
			if n.end == maxDigits {
				return n, false
			}
			n.digits[n.end] = c
			n.end++
		case c != ' ' && c != '-' && c != '(' && c != ')':
			return n, false
		}
	}
	return n, n.cutPrefix(plus)
}

// cutPrefix takes country code and trunk 0 away.
func (n *national) cutPrefix(plus bool) bool {
	if !plus && n.cut("00") {
		plus = true
	}
	if plus {
		if !n.cut("46") {
			return false
		}
		n.cut("0")
		return true
	}
	return n.cut("0")
}

// cut takes the digits s away from the start.
func (n *national) cut(s string) bool {
	if n.end-n.start < len(s) || string(n.digits[n.start:n.start+len(s)]) != s {
		return false
	}
	n.start += len(s)
	return true
}

func appendSwedish(dst []byte, n national) ([]byte, bool) {
	digits := n.digits[n.start:n.end]
	if !swedishPlan().valid(digits) {
		return dst, false
	}
	dst = append(dst, "+46"...)
	return append(dst, digits...), true
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
