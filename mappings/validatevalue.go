package mappings

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/mappings/format"
	"flytt/mappings/identity"
	"flytt/pipeline"
)

// valueCheck is one rule for a value.
type valueCheck struct {
	ok    func(v []byte) bool
	code  pipeline.Code         // of a value that is not ok
	shape func(v []byte) string // describes the value without showing it

	faults func(v []byte) identity.Faults // replaces code, for a rule with several
}

// typeChecks has the rule of each type that has one.
var typeChecks = map[string]valueCheck{
	"uuid":       {ok: format.UUID, code: codeUUID, shape: lengthShape},
	"reference":  {ok: format.UUID, code: codeUUID, shape: lengthShape},
	"date":       {ok: format.Date, code: codeDate, shape: identity.Describe},
	"date-time":  {ok: format.DateTime, code: codeDateTime, shape: lengthShape},
	"integer":    {ok: format.Integer, code: codeInteger, shape: identity.Describe},
	"number":     {ok: format.Number, code: codeNumber, shape: identity.Describe},
	"boolean":    {ok: format.Boolean, code: codeBoolean, shape: lengthShape},
	"references": {ok: isReferences, code: codeReferences, shape: lengthShape},
	"any":        {ok: isJSON, code: codeJSON, shape: lengthShape},
}

// formatChecks has the rule of each of FieldFormats.
var formatChecks = map[string]func(*ValidateOptions) valueCheck{
	"email":               plain(valueCheck{ok: format.Email, code: codeEmail, shape: emailShape}),
	"gln13":               plain(valueCheck{ok: format.GLN13, code: codeGLN13, shape: identity.Describe}),
	"luhn":                plain(valueCheck{ok: isLuhn, code: codeLuhn, shape: identity.Describe}),
	"phone":               plain(valueCheck{ok: isPhone, code: codePhone, shape: identity.Describe}),
	"personnummer":        identityCheck(identity.CheckPersonnummer),
	"organisationsnummer": identityCheck(identity.CheckOrganisationsnummer),
}

func plain(c valueCheck) func(*ValidateOptions) valueCheck {
	return func(*ValidateOptions) valueCheck { return c }
}

func identityCheck(check func([]byte, *identity.Rules) identity.Faults) func(*ValidateOptions) valueCheck {
	return func(o *ValidateOptions) valueCheck {
		rules := o.Identity
		return valueCheck{
			ok:     func(v []byte) bool { return check(v, &rules) == 0 },
			shape:  identity.Describe,
			faults: func(v []byte) identity.Faults { return check(v, &rules) },
		}
	}
}

// valueChecks returns the rules for the values of f, in the order of
// precedence that Validator states.
func valueChecks(f *Field, o *ValidateOptions) ([]valueCheck, error) {
	var checks []valueCheck
	if c, ok := typeChecks[f.Type]; ok {
		checks = append(checks, c)
	}
	if f.Format != "" {
		checks = append(checks, formatChecks[f.Format](o))
	}
	if len(f.Enum) > 0 {
		checks = append(checks, enumCheck(f.Enum))
	}
	if f.Pattern != "" {
		p, err := format.CompilePattern(f.Pattern)
		if err != nil {
			return nil, err
		}
		checks = append(checks, valueCheck{ok: p.Match, code: codePattern, shape: identity.Describe})
	}
	if f.MinLength > 0 {
		checks = append(checks, minLengthCheck(f.MinLength))
	}
	if f.MaxLength > 0 {
		checks = append(checks, maxLengthCheck(f.MaxLength))
	}
	if f.Minimum != nil {
		checks = append(checks, minimumCheck(f.Type, *f.Minimum))
	}
	if f.Maximum != nil {
		checks = append(checks, maximumCheck(f.Type, *f.Maximum))
	}
	return checks, nil
}

func enumCheck(values []string) valueCheck {
	known := make(map[string]bool, len(values))
	for _, v := range values {
		known[v] = true
	}
	return valueCheck{ok: func(v []byte) bool { return known[string(v)] }, code: codeEnum, shape: lengthShape}
}

func minLengthCheck(n int) valueCheck {
	return valueCheck{
		ok:    func(v []byte) bool { return len(v) >= n && format.Length(v) >= n },
		code:  codeTooShort,
		shape: func(v []byte) string { return fmt.Sprintf("%s, at least %d", lengthShape(v), n) },
	}
}

func maxLengthCheck(n int) valueCheck {
	return valueCheck{
		ok:    func(v []byte) bool { return len(v) <= n || format.Length(v) <= n },
		code:  codeTooLong,
		shape: func(v []byte) string { return fmt.Sprintf("%s, at most %d", lengthShape(v), n) },
	}
}

func minimumCheck(fieldType string, bound float64) valueCheck {
	least := int64(math.Ceil(bound))
	return boundCheck(fieldType, codeTooSmall, "below "+boundText(bound),
		func(n int64) bool { return n >= least }, func(n float64) bool { return n >= bound })
}

func maximumCheck(fieldType string, bound float64) valueCheck {
	greatest := int64(math.Floor(bound))
	return boundCheck(fieldType, codeTooLarge, "above "+boundText(bound),
		func(n int64) bool { return n <= greatest }, func(n float64) bool { return n <= bound })
}

// boundCheck is a check of a bound: whole is for integers, any for other numbers.
func boundCheck(fieldType string, code pipeline.Code, shape string, whole func(int64) bool, any func(float64) bool) valueCheck {
	c := valueCheck{code: code, shape: func([]byte) string { return shape }}
	if fieldType == "integer" {
		c.ok = func(v []byte) bool { return whole(integer(v)) }
	} else {
		c.ok = func(v []byte) bool { return any(number(v)) }
	}
	return c
}

// integer returns the value of v, which passed format.Integer; if it is beyond 64 bits,
// and so beyond any bound, the largest or smallest possible one.
func integer(v []byte) int64 {
	n, _ := strconv.ParseInt(string(v), 10, 64) // out of range gives the limit
	return n
}

// number returns the value of v, which passed format.Number; an infinity if it is
// beyond a float64.
func number(v []byte) float64 {
	n, _ := strconv.ParseFloat(string(v), 64) // out of range gives ±Inf
	return n
}

// isLuhn reports whether v consists of digits, possibly with hyphens between them, of
// which the last is the check digit of the others.
func isLuhn(v []byte) bool {
	var buf [64]byte
	digits := buf[:0]
	for _, c := range v {
		switch {
		case c == '-':
		case c < '0' || c > '9' || len(digits) == len(buf):
			return false
		default:
			digits = append(digits, c)
		}
	}
	return len(digits) > 1 && identity.Luhn(digits)
}

// isPhone reports whether v is a valid phone number as one would dial it in
// Sweden.
func isPhone(v []byte) bool {
	var buf [64]byte
	_, ok := format.AppendPhone(buf[:0], v, "SE")
	return ok
}

func isJSON(v []byte) bool { return jsontext.Value(v).IsValid() }

// isReferences reports whether v is a JSON array of uuids, or of objects that
// have nothing but a uuid as their id.
func isReferences(v []byte) bool {
	if !isJSON(v) {
		return false
	}
	d := jsontext.NewDecoder(bytes.NewReader(v))
	if t, err := d.ReadToken(); err != nil || t.Kind() != '[' {
		return false
	}
	for d.PeekKind() != ']' {
		if !readReference(d) {
			return false
		}
	}
	return true
}

func readReference(d *jsontext.Decoder) bool {
	if d.PeekKind() != '{' {
		return readUUID(d)
	}
	_, _ = d.ReadToken() // the brace; the whole is known to be valid
	name, err := d.ReadToken()
	if err != nil || name.Kind() != '"' || name.String() != "id" || !readUUID(d) {
		return false
	}
	end, err := d.ReadToken()
	return err == nil && end.Kind() == '}'
}

func readUUID(d *jsontext.Decoder) bool {
	t, err := d.ReadToken()
	return err == nil && t.Kind() == '"' && format.UUID([]byte(t.String()))
}

func lengthShape(v []byte) string {
	if n := format.Length(v); n != 1 {
		return strconv.Itoa(n) + " characters"
	}
	return "1 character"
}

func emailShape(v []byte) string {
	switch n := bytes.Count(v, []byte("@")); n {
	case 0:
		return lengthShape(v) + ", no at sign"
	case 1:
		return lengthShape(v)
	default:
		return fmt.Sprintf("%s, %d at signs", lengthShape(v), n)
	}
}
