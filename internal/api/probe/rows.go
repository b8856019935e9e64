package probe

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
)

// shapes describes the rows of the sample, and error bodies, without any of their
// values.
func (b *prober) shapes() []Finding {
	findings := []Finding{named("error_body", b.errorBody())}
	for _, field := range b.options.References {
		findings = append(findings, named("relation."+field, b.relation(field)))
	}
	for _, field := range b.options.Numbers {
		findings = append(findings, named("form."+field, b.countShapes(field, numberShape)))
	}
	if b.options.Created != "" {
		findings = append(findings, named("form."+b.options.Created, b.countShapes(b.options.Created, timeShape)))
	}
	if b.options.Key != "" {
		findings = append(findings, named("unique."+b.options.Key, b.unique()))
	}
	return append(findings, named("fields", b.fields()))
}

func named(topic string, f Finding) Finding {
	f.Topic = topic
	return f
}

// errorBody says what the body of a refused request looks like.
func (b *prober) errorBody() Finding {
	if b.firstRefusal == nil {
		return unknown("nothing was refused")
	}
	return expected(errorShape(b.firstRefusal.Body), b.firstRefusal.ContentType)
}

// errorShape names the shape of an error body: see api.ParseRefusals.
func errorShape(body []byte) string {
	body = bytes.TrimSpace(body)
	v := jsontext.Value(body)
	switch {
	case len(body) == 0:
		return "empty"
	case body[0] == '<':
		return "an HTML page"
	case !v.IsValid():
		return "plain text"
	case v.Kind() == '[':
		return "a list"
	case v.Kind() != '{':
		return "a single value"
	}
	for _, name := range []string{"detail", "errors", "error", "message"} {
		if jsonscan.Member(v, name) != nil {
			return `{"` + name + `": …}`
		}
	}
	return `{"parameter": …}`
}

// countShapes counts the shapes of the values of one field, without nulls, and lists
// them, the most frequent first.
func (b *prober) countShapes(field string, shape func(jsontext.Value) string) Finding {
	counts := map[string]int{}
	for _, row := range b.sample {
		if v := jsonscan.Member(row, field); v != nil && v.Kind() != 'n' {
			counts[shape(v)]++
		}
	}
	shapes := slices.SortedFunc(maps.Keys(counts), func(x, y string) int {
		return cmp.Or(counts[y]-counts[x], strings.Compare(x, y))
	})
	switch len(shapes) {
	case 0:
		return unknown("no row has a value")
	case 1:
		return expected(shapes[0], "")
	}
	for i, s := range shapes {
		shapes[i] = fmt.Sprintf("%s (%d)", s, counts[s])
	}
	return unusual("mixed", strings.Join(shapes[:min(len(shapes), 4)], ", "))
}

// relation says in which form a reference comes. It is unusual if it does not show what
// it refers to.
func (b *prober) relation(field string) Finding {
	f := b.countShapes(field, relationShape)
	if f.Answer == emptyRelation || f.Answer == strangeRelation {
		f.Verdict = Unusual
	}
	return f
}

const (
	emptyRelation   = "{}"
	strangeRelation = "an object without id"
)

func relationShape(v jsontext.Value) string {
	switch v.Kind() {
	case '"', '0':
		return "bare id"
	case '{':
		id := jsonscan.Member(v, "id") != nil
		switch n := members(v); {
		case n == 0:
			return emptyRelation
		case n == 1 && id:
			return `{"id": …}`
		case id:
			return "expanded, with id"
		}
		return strangeRelation
	}
	return "neither id nor object"
}

// numberShape describes how a number of a person, a company or a phone is written: how
// many digits, and what is between them.
func numberShape(v jsontext.Value) string {
	if v.Kind() != '"' {
		return "no text"
	}
	digits, plus, dash, other := 0, false, false, false
	for i, c := range jsonscan.Text(v) {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c == '+' && i == 0:
			plus = true
		case c == '-':
			dash = true
		default:
			other = true
		}
	}
	switch {
	case digits == 0 || other:
		return "digits and other characters"
	case dash:
		return fmt.Sprintf("%d digits with a dash", digits)
	case plus:
		return "plus and digits" // phone numbers have many lengths
	case digits > 12 || digits < 10:
		return "digits"
	}
	return fmt.Sprintf("%d digits", digits)
}

// timeShape describes how precise a time is and in which zone: RFC 3339.
func timeShape(v jsontext.Value) string {
	text := string(jsonscan.Text(v))
	clock := strings.LastIndexByte(text, 'T')
	if v.Kind() != '"' || clock < 0 {
		return "not RFC 3339"
	}
	zone := "no zone"
	if at := strings.IndexAny(text[clock:], "Z+-"); at >= 0 {
		zone = "UTC (Z)"
		if text[clock+at] != 'Z' {
			zone = "offset " + text[clock+at:]
		}
		text = text[:clock+at]
	}
	_, fraction, _ := strings.Cut(text[clock:], ".")
	unit, ok := map[int]string{0: "seconds", 3: "milliseconds", 6: "microseconds", 9: "nanoseconds"}[len(fraction)]
	if !ok {
		unit = fmt.Sprintf("%d decimals", len(fraction))
	}
	return unit + ", " + zone
}

// unique says whether the key is in fact unique, in the rows that were read.
func (b *prober) unique() Finding {
	seen, keys, repeated := map[string]bool{}, 0, 0
	for _, row := range b.sample {
		key := string(jsonscan.Text(jsonscan.Member(row, b.options.Key)))
		if key == "" {
			continue
		}
		keys++
		if seen[key] {
			repeated++
		}
		seen[key] = true
	}
	of := fmt.Sprintf("of %s, %d with one", rowCount(len(b.sample)), keys)
	switch {
	case keys == 0:
		return unknown("no row has one")
	case repeated > 0:
		return unusual(fmt.Sprintf("%d repeated", repeated), of)
	}
	return expected("in these rows", of)
}

// mostNames bounds how many fields are named.
const mostNames = 6

// fields lists the members of the rows that the descriptor does not have, and its
// fields that no row has.
func (b *prober) fields() Finding {
	if len(b.sample) == 0 || len(b.options.Known) == 0 {
		return unknown("no rows")
	}
	seen := map[string]bool{}
	var strange, absent []string
	for _, row := range b.sample {
		for raw := range jsonscan.Members(row) {
			if seen[string(raw)] {
				continue
			}
			seen[string(raw)] = true
			if name := string(jsonscan.Unquote(raw)); !slices.Contains(b.options.Known, name) {
				strange = append(strange, api.Clip(name))
			}
		}
	}
	for _, name := range b.options.Known {
		if !seen[name] {
			absent = append(absent, name)
		}
	}
	var details []string
	for _, each := range []struct {
		what  string
		names []string
	}{{"new: ", strange}, {"absent: ", absent}} {
		if n := len(each.names); n > 0 {
			details = append(details, each.what+strings.Join(each.names[:min(n, mostNames)], ", "))
		}
	}
	if len(details) > 0 {
		return unusual("not as described", strings.Join(details, "; "))
	}
	return expected("as described", "")
}
