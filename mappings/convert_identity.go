package mappings

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode"

	"flytt/mappings/format"
	"flytt/mappings/identity"
	"flytt/pipeline"

	"github.com/nyaruka/phonenumbers"
)

// reportedByValidation are the faults that a number still has after its conversion, so
// that the validation of the field's format reports them. Reporting them here too would
// count those that do not reject the row twice.
const reportedByValidation = identity.CheckDigit | identity.ImpossibleDate | identity.BirthNumber | identity.FutureDate |
	identity.InterimNumber | identity.ThirdDigit | identity.CoordinationDate | identity.Personnummer

func buildPersonnummer(c Conversion, o *conversionOptions) (converter, error) {
	rules, dash := o.identity, false
	err := c.options(func(name, value string) bool {
		switch name {
		case "dash":
			dash = true
		case "interim":
			rules.AllowInterim = true
		case "reject_century":
			rules.Century = identity.RejectCentury
		case "pivot":
			year, err := strconv.Atoi(value)
			rules.Century, rules.Pivot = identity.Pivot, year
			return err == nil && (year >= 0 && year < 100 || year >= 1800 && year < 2100)
		default:
			return false
		}
		return value == ""
	})
	if err = errors.Join(c.plain(0, 4), err); err != nil {
		return nil, err
	}
	return numberConverter(identity.ParsePersonnummer, rules, dash, o.format == "personnummer"), nil
}

func buildOrganisationsnummer(c Conversion, o *conversionOptions) (converter, error) {
	dash := false
	err := c.options(func(name, value string) bool {
		dash = true
		return name == "dash" && value == ""
	})
	if err = errors.Join(c.plain(0, 1), err); err != nil {
		return nil, err
	}
	return numberConverter(identity.ParseOrganisationsnummer, o.identity, dash, o.format == "organisationsnummer"), nil
}

// numberConverter stores what parse reads. checked says that the field's own
// rule will look at the result.
func numberConverter(parse func([]byte, *identity.Rules) (identity.Number, identity.Faults), rules identity.Rules, dash, checked bool) converter {
	return func(c *call, v []byte) []byte {
		n, f := parse(v, &rules)
		if f != 0 {
			c.numberFaults(f, v, checked)
		}
		if n.IsZero() {
			return v
		}
		c.buf = n.Append(c.buf[:0], dash)
		return c.buf
	}
}

// numberFaults notes every fault of f.
func (n *noter) numberFaults(f identity.Faults, v []byte, checked bool) {
	for i := range identity.Codes {
		one := identity.Faults(1) << i
		if !f.Has(one) {
			continue
		}
		info := &identity.Codes[i]
		severity := n.severityOf(info.Code, info.Severity)
		if severity != pipeline.Error && checked && reportedByValidation.Has(one) {
			continue
		}
		if severity == pipeline.Error {
			n.note(info.Code, severity, shape(v))
		} else {
			n.note(info.Code, severity, "")
		}
	}
}

func buildPhone(c Conversion, _ *conversionOptions) (converter, error) {
	if err := c.plain(0, 1); err != nil {
		return nil, err
	}
	region := "SE"
	if len(c.Args) == 1 {
		region = c.Args[0]
	}
	if !phonenumbers.GetSupportedRegions()[region] {
		return nil, fmt.Errorf("%q is not a region, such as SE or NO", region)
	}
	return func(c *call, v []byte) []byte {
		e164, ok := format.AppendPhone(c.buf[:0], v, region)
		if !ok {
			c.fail(codePhone, shape(v))
			return v
		}
		c.buf = e164
		return c.buf
	}, nil
}

var mailto = []byte("mailto:")

func email(c *call, v []byte) []byte {
	v = bytes.TrimSpace(v)
	if len(v) >= len(mailto) && bytes.EqualFold(v[:len(mailto)], mailto) {
		v = bytes.TrimSpace(v[len(mailto):])
	}
	at := bytes.LastIndexByte(v, '@')
	if at < 0 || bytes.IndexFunc(v[at:], unicode.IsUpper) < 0 {
		return v
	}
	c.buf = appendRunes(append(c.buf[:0], v[:at]...), v[at:], unicode.ToLower)
	return c.buf
}
