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
	whole      = -1  // the item of a Refusal that is about the request
)

// ParseRefusals reads body, the answer to a write of sent that was refused. It
// understands
//
//	{"detail": "…"}                         about the request
//	{"field": ["…"]}                        about the only item, or the request
//	[{}, {"field": ["…"]}, …]               as many as were sent, in their order
//	{"3": {"field": ["…"]}}                 by index (or by key), counted from 0
//	[{"index": 3, "field": "…", "message": "…"}]  or with a key
//	{"errors": …}                           any of these within
//
// and takes everything else, plain text and HTML too, as about the request. A
// key in an error comes before its position. Reasons come sorted by item; those
// about the request come first. There is always at least one.
func ParseRefusals(body []byte, sent Sent) []Refusal {
	p := refusalParser{sent: sent, count: map[int]int{}}
	trimmed := bytes.TrimSpace(body)
	if v := jsontext.Value(trimmed); len(v) > 0 && v.IsValid() {
		p.read(v, 0)
	} else {
		p.add(whole, "", plainText(trimmed))
	}
	if len(p.out) == 0 {
		p.add(whole, "", "")
	}
	slices.SortStableFunc(p.out, func(a, b Refusal) int { return a.Item - b.Item })
	return p.out
}

type refusalParser struct {
	sent  Sent
	out   []Refusal
	count map[int]int // reasons kept, by item
	keys  map[string]int
}

func (p *refusalParser) add(item int, field, message string) {
	if p.count[item] == maxReasons {
		return
	}
	p.count[item]++
	p.out = append(p.out, Refusal{Item: item, Field: field, Message: clip(message)})
}

// clip shortens s to what a report has room for, at the end of a character.
func clip(s string) string {
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

// read takes v for one of the shapes of a whole answer.
func (p *refusalParser) read(v jsontext.Value, depth int) {
	switch v.Kind() {
	case '[':
		p.readList(v, depth)
	case '{':
		p.readObject(v, depth)
	default:
		p.reasons(whole, "", v, depth)
	}
}

// readList takes v for one entry for each item, for entries that name their
// item, or else for reasons about the request.
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
		case aligned:
			item = i
		default:
			item = whole
		}
		p.entry(item, e, depth)
	}
}

// aligned reports whether entries can be one for each item: as many, and none
// of them a bare text or the record of one error, unless there is but one.
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
	indexNames = []string{"index", "item", "row", "position"}
	fieldNames = []string{"field", "attr", "attribute", "loc"}
	// A key may look like what these hold: "422".
	statusNames  = []string{"status", "code", "type"}
	messageNames = []string{"message", "messages", "detail", "error", "errors", "msg", "description", "reason"}
)

// isRecord reports whether e is an error with its field and its message as
// members of their own.
func isRecord(e jsontext.Value) bool {
	return firstOf(e, fieldNames) != nil && firstOf(e, messageNames) != nil
}

// named returns the item that the entry e says it is about, by its key or else
// by its index. Messages by field come in lists, so that a number or a bare
// text beside them is none.
func (p *refusalParser) named(e jsontext.Value) (int, bool) {
	if e.Kind() != '{' {
		return 0, false
	}
	if item, ok := p.namedByKey(e); ok {
		return item, true
	}
	if v := firstOf(e, indexNames); v.Kind() == '0' {
		return p.byIndex(v)
	}
	return 0, false
}

// namedByKey returns the item whose key is the value of a member of e.
func (p *refusalParser) namedByKey(e jsontext.Value) (int, bool) {
	if e.Kind() != '{' {
		return 0, false
	}
	for name, v := range jsonscan.Members(e) {
		if v.Kind() == '"' && !slices.Contains(messageNames, string(name)) && !slices.Contains(statusNames, string(name)) {
			if item, ok := p.byKey(jsonscan.Text(v)); ok {
				return item, true
			}
		}
	}
	return 0, false
}

// entry reads what e says of item: one error with its field and message, or
// errors by field.
func (p *refusalParser) entry(item int, e jsontext.Value, depth int) {
	if isRecord(e) {
		p.reasons(item, string(jsonscan.Text(firstOf(e, fieldNames))), firstOf(e, messageNames), depth+1)
		return
	}
	_, byName := p.named(e)
	for name, v := range jsonscan.Members(e) {
		if k := v.Kind(); byName && (k == '0' || k == '"' && !slices.Contains(messageNames, string(name))) {
			continue // which item it is, and no reason
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
				p.keys[string(k)] = whole
			} else if len(k) > 0 {
				p.keys[string(k)] = i
			}
		}
	}
	i, ok := p.keys[string(key)]
	return i, ok && i >= 0
}

func (p *refusalParser) byIndex(v []byte) (int, bool) {
	n, err := strconv.Atoi(string(v))
	return n, err == nil && n >= 0 && n < len(p.sent.Items)
}

// readObject takes v for errors by item, for an envelope of errors, or else for
// errors by field: of the only item, or of the request. Names that are indexes
// and keys at once, of different items, blame none.
func (p *refusalParser) readObject(v jsontext.Value, depth int) {
	if depth > maxNesting {
		return
	}
	if p.readByItem(v, p.indexOrKey(v), depth) || p.readByItem(v, p.byKey, depth) {
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
		item = whole
	}
	if !ok && len(p.sent.Items) == 1 {
		item = 0
	}
	p.entry(item, v, depth)
}

// byIndexName is byIndex for the plain decimal form only.
func (p *refusalParser) byIndexName(name []byte) (int, bool) {
	i, ok := p.byIndex(name)
	return i, ok && strconv.Itoa(i) == string(name)
}

// indexOrKey returns how the names of v, if they are indexes, are to be read.
func (p *refusalParser) indexOrKey(v jsontext.Value) func([]byte) (int, bool) {
	differ := false
	for name := range jsonscan.Members(v) {
		i, _ := p.byIndexName(jsonscan.Unquote(name))
		k, ok := p.byKey(jsonscan.Unquote(name))
		if !ok {
			return p.byIndexName
		}
		differ = differ || i != k
	}
	if !differ {
		return p.byIndexName
	}
	return func(name []byte) (int, bool) {
		_, ok := p.byIndexName(name)
		return whole, ok
	}
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

// generic are the names that stand for no field.
var generic = []string{"detail", "details", "message", "messages", "error", "errors", "non_field_errors", "__all__", "msg"}

// reasons adds what v says of item: texts as they are, members of objects under
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
		return clip(name)
	}
	return clip(field + "." + name)
}

// plainText returns what can be read of a body that is no JSON: the title of an
// HTML page, or the text itself.
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
