package api

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

// Refusal is one reason the API gives for not taking an item.
type Refusal struct {
	Item    int    // index of the item that was sent; -1: of the request as a whole
	Field   string // as the API names it, parts joined by dots; empty: no single one
	Message string // the API's words; may quote a value, so only for files that may hold values
}

const (
	maxReasons = 20  // for each item
	maxMessage = 300 // bytes of each message
	maxNesting = 6   // of objects and lists within each other
	noItem     = -1  // the item of a Refusal that is about the request
)

// ParseRefusals reads body, the answer to a write of sent that was refused. It
// understands
//
//	{"detail": "…"}                         about the request
//	{"field": ["…"]}                        about the only item, or the request
//	[{}, {"field": ["…"]}, …]               as many as were sent, in their order
//	{"3": {"field": ["…"]}}                 by number (or by key)
//	[{"index": 3, "field": "…", "message": "…"}]  or with a key, or a line
//	{"errors": …}                           any of these within
//
// and takes everything else, plain text and HTML too, as about the request. A
// key in an error comes before its number. Reasons come sorted by item; those
// about the request come first. There is always at least one.
//
// Whether an API counts items from 0 or from 1 is what base says. ParseRefusals
// returns what is known of it with this body, which proves the base if it has
//
//   - number 0, or a number equal to how many items were sent, so that a request
//     of one item always proves it;
//   - a number beside the key of the same item;
//   - a line number and no other evidence: the first line is 1.
//
// Numbers that fit both bases while the base is unknown, or that fit neither, name
// no item: those reasons are about the request.
func ParseRefusals(body []byte, sent Sent, base IndexBase) ([]Refusal, IndexBase) {
	p := refusalParser{sent: sent, base: base}
	out := p.parse(body)
	known := p.evidence.with(base)
	if known != base {
		p.base = known
		out = p.parse(body)
	}
	slices.SortStableFunc(out, func(a, b Refusal) int { return a.Item - b.Item })
	return out, known
}

// parse reads body with what is known of the base, and collects evidence of it.
func (p *refusalParser) parse(body []byte) []Refusal {
	p.out, p.count = nil, map[int]int{}
	trimmed := bytes.TrimSpace(body)
	if v := jsontext.Value(trimmed); len(v) > 0 && v.IsValid() {
		p.read(v, 0)
	} else {
		p.add(noItem, "", plainText(trimmed))
	}
	if len(p.out) == 0 {
		p.add(noItem, "", "")
	}
	return p.out
}

type refusalParser struct {
	sent     Sent
	base     IndexBase
	evidence baseEvidence
	out      []Refusal
	count    map[int]int // reasons kept, by item
	keys     map[string]int
}

func (p *refusalParser) add(item int, field, message string) {
	if p.count[item] == maxReasons {
		return
	}
	p.count[item]++
	p.out = append(p.out, Refusal{Item: item, Field: field, Message: Clip(message)})
}

// Clip shortens s to the length that reports allow, at a character boundary.
func Clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxMessage {
		return s
	}
	n := maxMessage
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// read reads v as one of the shapes of a whole answer.
func (p *refusalParser) read(v jsontext.Value, depth int) {
	switch v.Kind() {
	case '[':
		p.readList(v, depth)
	case '{':
		p.readObject(v, depth)
	default:
		p.reasons(noItem, "", v, depth)
	}
}

// readList reads v as a list with one entry for each item, as entries that name their
// item, or else as reasons about the request.
func (p *refusalParser) readList(v jsontext.Value, depth int) {
	var entries []jsontext.Value
	for _, e := range jsonscan.Members(v) {
		if entries = append(entries, e); len(entries) > 2*len(p.sent.Items)+100 {
			return
		}
	}
	aligned := p.aligned(entries)
	for i, e := range entries {
		item, ok := p.named(e)
		switch {
		case ok:
		case aligned && (len(p.sent.Items) == 1 || !numbers(e)):
			item = i
		default:
			item = noItem
		}
		p.entry(item, e, depth)
	}
}

// aligned reports whether entries can be one for each item: there are as many, and,
// unless there is only one, none is a bare text or a single error with its field.
func (p *refusalParser) aligned(entries []jsontext.Value) bool {
	if len(entries) != len(p.sent.Items) {
		return false
	}
	for _, e := range entries {
		k := e.Kind()
		if len(entries) > 1 && (k != '{' && k != '[' && k != 'n' || isRecord(e)) {
			return false
		}
	}
	return true
}

// The names by which an entry says which item it means, and what is wrong.
var (
	indexNames = []string{"index", "idx", "item", "item_index", "itemIndex", "row", "row_index", "rowIndex", "position"}
	// People count these from 1.
	lineNames = []string{"line", "line_number", "lineNumber", "lineno", "row_number", "rowNumber"}
	// Beside one of these a line is a place in a program or in the text of the request.
	sourceNames = []string{"file", "column", "col", "offset", "trace", "exception"}
	fieldNames  = []string{"field", "attr", "attribute", "loc"}
	// A key may look like what these hold: "422", or the value of another field.
	statusNames  = []string{"status", "code", "type"}
	valueNames   = []string{"value", "input", "rejected_value", "rejectedValue", "given", "received"}
	messageNames = []string{"message", "messages", "detail", "error", "errors", "msg", "description", "reason"}
)

// isRecord reports whether e is an error that has its field and its message as members.
func isRecord(e jsontext.Value) bool {
	return firstOf(e, fieldNames) != nil && firstOf(e, messageNames) != nil
}

// named returns the item that the entry e names by its key, or else by its number.
// Messages by field come in lists, so a number or a bare text beside them is not a
// message.
func (p *refusalParser) named(e jsontext.Value) (int, bool) {
	if e.Kind() != '{' {
		return 0, false
	}
	item, keyed := p.keyIn(e)
	number, numbered := numberIn(e)
	line, lined := lineIn(e)
	switch {
	case keyed && numbered:
		p.evidence.numberOf(item, number)
	case keyed && lined:
		p.evidence.numberOf(item, line)
	case numbered:
		p.evidence.number(number, len(p.sent.Items))
		p.evidence.notOne = p.evidence.notOne || lined && line == number+1
		p.evidence.lines = p.evidence.lines || lined && line == number
	case lined:
		p.evidence.number(line, len(p.sent.Items))
		p.evidence.lines = true
	}
	switch {
	case keyed:
		return item, true
	case numbered:
		return p.base.item(number, len(p.sent.Items))
	case lined && p.base == FromOne: // an API that counts items from 0 may count lines from 1
		return p.base.item(line, len(p.sent.Items))
	}
	return 0, false
}

// keyIn returns the item whose key is the text of a member of e.
func (p *refusalParser) keyIn(e jsontext.Value) (int, bool) {
	if e.Kind() != '{' {
		return 0, false
	}
	for name, v := range jsonscan.Members(e) {
		if v.Kind() != '"' || slices.Contains(messageNames, string(name)) ||
			slices.Contains(statusNames, string(name)) || slices.Contains(valueNames, string(name)) {
			continue
		}
		if item, ok := p.byKey(jsonscan.Text(v)); ok {
			return item, true
		}
	}
	return 0, false
}

// numbers reports whether e names its item by a number.
func numbers(e jsontext.Value) bool {
	if e.Kind() != '{' {
		return false
	}
	_, numbered := numberIn(e)
	_, lined := lineIn(e)
	return numbered || lined
}

// numberIn returns the number by which e names its item.
func numberIn(e jsontext.Value) (number int, ok bool) {
	return wholeNumber(firstOf(e, indexNames))
}

// lineIn returns the line by which e names its item.
func lineIn(e jsontext.Value) (line int, ok bool) {
	if firstOf(e, sourceNames) != nil {
		return 0, false
	}
	return wholeNumber(firstOf(e, lineNames))
}

func wholeNumber(v jsontext.Value) (int, bool) {
	if v.Kind() != '0' {
		return 0, false
	}
	n, err := strconv.Atoi(string(v))
	return n, err == nil
}

// entry reads what e says about item: one error with field and message, or errors by
// field.
func (p *refusalParser) entry(item int, e jsontext.Value, depth int) {
	if isRecord(e) {
		p.reasons(item, string(jsonscan.Text(firstOf(e, fieldNames))), firstOf(e, messageNames), depth+1)
		return
	}
	_, byName := p.named(e)
	for name, v := range jsonscan.Members(e) {
		k := v.Kind()
		if byName && (k == '0' || k == '"' && !slices.Contains(messageNames, string(name))) {
			continue // which item it is, and no reason
		}
		if k == '0' && (slices.Contains(indexNames, string(name)) || slices.Contains(lineNames, string(name))) {
			continue // likewise, and the item cannot be told
		}
		p.reasons(item, join("", string(jsonscan.Unquote(name))), v, depth+1)
	}
	if k := e.Kind(); k != '{' && k != '[' {
		p.reasons(item, "", e, depth)
	}
}

func firstOf(object jsontext.Value, names []string) jsontext.Value {
	for _, name := range names {
		if v := jsonscan.Member(object, name); v != nil && !blank(v) {
			return v
		}
	}
	return nil
}

func (p *refusalParser) byKey(key []byte) (int, bool) {
	if p.keys == nil {
		p.keys = map[string]int{}
		for i, k := range p.sent.Keys {
			if _, twice := p.keys[string(k)]; twice {
				p.keys[string(k)] = noItem
			} else if len(k) > 0 {
				p.keys[string(k)] = i
			}
		}
	}
	i, ok := p.keys[string(key)]
	return i, ok && i >= 0
}

// readObject reads v as errors by item, as an envelope of errors, or else as errors by
// field: of the only item, or of the request. Names that are both numbers and keys, of
// different items, blame none.
func (p *refusalParser) readObject(v jsontext.Value, depth int) {
	if depth > maxNesting {
		return
	}
	if p.readByItem(v, p.numberOrKey(v), depth) || p.readByItem(v, p.byKey, depth) {
		return
	}
	for _, name := range []string{"errors", "error", "detail", "details", "items"} {
		inner := jsonscan.Member(v, name)
		if k := inner.Kind(); (k == '{' || k == '[') && !blank(inner) {
			p.read(inner, depth+1)
			return
		}
	}
	item, ok := p.named(v)
	if !ok {
		item = noItem
	}
	if !ok && len(p.sent.Items) == 1 {
		item = 0
	}
	p.entry(item, v, depth)
}

// itemNumber returns name as a number that an item can have, counted from 0 or 1.
func (p *refusalParser) itemNumber(name []byte) (int, bool) {
	n, err := strconv.Atoi(string(name))
	return n, err == nil && n >= 0 && n <= len(p.sent.Items) && strconv.Itoa(n) == string(name)
}

// numberOrKey returns how to read the names of v if all of them are numbers of items:
// as numbers, or, if all are also keys, as keys if each is the key of the item with
// that number. Names for which that is not known stand for the request.
func (p *refusalParser) numberOrKey(v jsontext.Value) func([]byte) (int, bool) {
	keyed := true
	var seen baseEvidence
	for name := range jsonscan.Members(v) {
		n, ok := p.itemNumber(jsonscan.Unquote(name))
		if !ok {
			return p.itemNumber // which does not know every name
		}
		seen.number(n, len(p.sent.Items))
		_, ok = p.byKey(jsonscan.Unquote(name))
		keyed = keyed && ok
	}
	if !keyed {
		p.evidence.join(seen)
		return p.byNumber
	}
	if p.base == MixedBase || p.agree(v, seen.base()) {
		return p.byKey
	}
	return func([]byte) (int, bool) { return noItem, true }
}

// byNumber returns the item with this number; noItem if that cannot be decided.
func (p *refusalParser) byNumber(name []byte) (int, bool) {
	n, ok := p.itemNumber(name)
	if item, known := p.base.item(n, len(p.sent.Items)); known {
		return item, ok
	}
	return noItem, ok
}

// agree reports whether the names of v, which are keys, are also the numbers of the
// same items: by the known base, or else by every base that is possible. fits is the
// only possible one, if there is only one.
func (p *refusalParser) agree(v jsontext.Value, fits IndexBase) bool {
	if p.base != UnknownBase {
		fits = p.base
	}
	for name := range jsonscan.Members(v) {
		key, _ := p.byKey(jsonscan.Unquote(name))
		n, _ := p.itemNumber(jsonscan.Unquote(name))
		if fits != FromOne && n != key || fits != FromZero && n != key+1 {
			return false
		}
	}
	return true
}

// readByItem reads v as errors by item, if find knows an item for every name.
func (p *refusalParser) readByItem(v jsontext.Value, find func([]byte) (int, bool), depth int) bool {
	empty := true
	for name := range jsonscan.Members(v) {
		empty = false
		if _, ok := find(jsonscan.Unquote(name)); !ok {
			return false
		}
	}
	for name, e := range jsonscan.Members(v) {
		item, _ := find(jsonscan.Unquote(name))
		p.entry(item, e, depth+1)
	}
	return !empty
}

// generic are the names that stand for no particular field.
var generic = []string{"detail", "details", "message", "messages", "error", "errors", "non_field_errors", "__all__", "msg"}

// reasons adds what v says about item: texts as they are, members of objects under
// their names.
func (p *refusalParser) reasons(item int, field string, v jsontext.Value, depth int) {
	if depth > maxNesting || v == nil || blank(v) {
		return
	}
	switch v.Kind() {
	case '{':
		for name, e := range jsonscan.Members(v) {
			p.reasons(item, join(field, string(jsonscan.Unquote(name))), e, depth+1)
		}
	case '[':
		for _, e := range jsonscan.Members(v) {
			p.reasons(item, field, e, depth+1)
		}
	default:
		p.add(item, field, string(jsonscan.Text(v)))
	}
}

// join returns the path of name within field.
func join(field, name string) string {
	switch {
	case slices.Contains(generic, name):
		return field
	case field == "":
		return Clip(name)
	}
	return Clip(field + "." + name)
}

// plainText returns the readable part of a body that is not JSON: the title of an HTML
// page, or the text itself.
func plainText(body []byte) string {
	if len(body) == 0 || body[0] != '<' {
		return string(body[:min(len(body), maxMessage+utf8.UTFMax)])
	}
	title := pageTitle.FindSubmatch(body)
	if title == nil {
		return "an HTML page"
	}
	return "an HTML page: " + strings.TrimSpace(string(title[1]))
}

var pageTitle = regexp.MustCompile(`(?i)<title>([^<]*)<`)
