package api

import (
	"net/http"
	"slices"
	"strconv"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

// failures finds out which rows failed according to an answer, and why.
type failures struct {
	reply    *bulkReply
	match    *matching
	parser   refusalParser
	entries  []failure
	reported []Refusal // errors that are not in entries
}

// failure is an entry that reports a failure.
type failure struct {
	entry *entry
	row   int // noItem: it is not known
}

func newFailures(r *bulkReply, m *matching, base IndexBase) *failures {
	f := &failures{reply: r, match: m, parser: refusalParser{sent: *m.sent, base: base, count: map[int]int{}}}
	for j := range r.entries {
		if e := &r.entries[j]; e.saysFailed {
			f.entries = append(f.entries, failure{entry: e, row: noItem})
		}
	}
	return f
}

// byKey finds the rows that failures name by key. A row whose record the answer shows
// has not failed.
func (f *failures) byKey() {
	for n := range f.entries {
		if row, ok := f.keyed(f.entries[n].entry); ok && f.mayHaveFailed(row) {
			f.blame(n, row)
		}
	}
	f.countUnnamed()
}

// keyed returns the row with the key that e has.
func (f *failures) keyed(e *entry) (row int, ok bool) {
	if len(e.key) == 0 {
		return f.parser.keyIn(e.object)
	}
	if rows := f.match.byKeys[string(e.key)]; len(rows) == 1 {
		return int(rows[0]), true
	}
	return noItem, false
}

func (f *failures) mayHaveFailed(row int) bool {
	return !f.match.showsAll() && f.match.rows[row].item < 0
}

// byIndex finds the rows that failures name by index. If one of them is the index of a
// row whose record the answer shows, the API counts in another way, and no index is
// trusted.
func (f *failures) byIndex() {
	f.learnBase()
	rows, believed := f.indexed(f.parser.base)
	if !believed {
		return
	}
	for n, row := range rows {
		if row != noItem {
			f.blame(n, row)
		}
	}
}

// learnBase learns from the indices in failures whether the API counts from 0 or from
// 1.
func (f *failures) learnBase() {
	f.indexed(f.parser.base) // for the evidence
	f.decideBase(func(base IndexBase) (named, believed bool) {
		rows, believed := f.indexed(base)
		return slices.ContainsFunc(rows, func(row int) bool { return row != noItem }), believed
	})
}

// decideBase sets the base to what the evidence proves. If it proves nothing, a row
// whose record the answer shows may decide, since it has not failed: try reports
// whether rows are named with a base, and whether all of those may have failed.
func (f *failures) decideBase(try func(IndexBase) (named, believed bool)) {
	known := f.parser.evidence.with(f.parser.base)
	if known == UnknownBase {
		named, fromZero := try(FromZero)
		_, fromOne := try(FromOne)
		switch {
		case named && fromZero && !fromOne:
			known = FromZero
		case named && fromOne && !fromZero:
			known = FromOne
		}
	}
	f.parser.base = known
}

// indexed returns, for each failure that names no row by key, the row that it names by
// an index counted from base, or noItem. It reports whether all of these rows may have
// failed.
func (f *failures) indexed(base IndexBase) (rows []int, believed bool) {
	was := f.parser.base
	f.parser.base = base
	defer func() { f.parser.base = was }()
	rows, believed = make([]int, len(f.entries)), true
	for n := range f.entries {
		rows[n] = noItem
		if f.entries[n].row != noItem {
			continue
		}
		if row, ok := f.parser.named(f.entries[n].entry.object); ok {
			rows[n] = row
			believed = believed && f.mayHaveFailed(row)
		}
	}
	return rows, believed
}

// byFaults reads the errors that are not in entries, like the body of a refusal.
func (f *failures) byFaults() {
	for _, v := range f.reply.faults {
		f.learnBaseOf(v)
		refusals, believed := f.faultsIn(v, f.parser.base)
		for _, r := range refusals {
			if !believed {
				r.Item = noItem
			}
			if r.Item != noItem {
				f.match.rows[r.Item].failed = true
			}
			f.reported = append(f.reported, r)
		}
	}
}

// faultsIn reads v like the body of a refusal that counts rows from base. It reports
// whether all rows that it names may have failed.
func (f *failures) faultsIn(v jsontext.Value, base IndexBase) (refusals []Refusal, believed bool) {
	p := refusalParser{sent: *f.match.sent, base: base, count: map[int]int{}}
	p.read(v, 0)
	f.parser.evidence.join(p.evidence)
	return p.out, !slices.ContainsFunc(p.out, func(r Refusal) bool { return r.Item != noItem && !f.mayHaveFailed(r.Item) })
}

// learnBaseOf learns from v whether the API counts from 0 or from 1, as learnBase does.
func (f *failures) learnBaseOf(v jsontext.Value) {
	f.faultsIn(v, f.parser.base) // for the evidence
	f.decideBase(func(base IndexBase) (named, believed bool) {
		refusals, believed := f.faultsIn(v, base)
		return slices.ContainsFunc(refusals, func(r Refusal) bool { return r.Item != noItem }), believed
	})
}

// countUnnamed tells the matching whether there are failures of unknown rows.
func (f *failures) countUnnamed() {
	f.match.unnamed = 0
	for _, n := range f.entries {
		if n.row == noItem {
			f.match.unnamed++
		}
	}
	f.match.mayHaveMore = len(f.reported) == 0 && len(f.reply.faults) > 0 ||
		slices.ContainsFunc(f.reported, func(r Refusal) bool { return r.Item == noItem })
}

func (f *failures) blame(n, row int) {
	f.entries[n].row = row
	f.match.rows[row].failed = true
	e := f.entries[n].entry
	if f.reply.sizes[e.list] == len(f.match.rows) && int(e.place) != row {
		f.match.reordered = true
	}
}

// others finds the rows of failures that name none by key: by index, and by position in
// lists with an entry for each row, unless a row at one of these positions is known to
// be written.
func (f *failures) others() {
	if f.match.showsAll() {
		return
	}
	f.byIndex()
	f.byFaults()
	for list := range f.reply.sizes {
		if f.alignable(int32(list)) {
			f.blameInPlace(int32(list))
		}
	}
	if len(f.match.rows) == 1 && f.mayHaveFailed(0) {
		for n := range f.entries {
			f.entries[n].row = 0
			f.match.rows[0].failed = true
		}
	}
	f.countUnnamed()
}

func (f *failures) alignable(list int32) bool {
	if !f.match.aligned(list, f.reply.sizes) {
		return false
	}
	for _, n := range f.entries {
		if n.entry.list != list || n.row != noItem {
			continue
		}
		// Errors with a field each may be several of one row.
		several := len(f.match.rows) > 1 && (n.entry.object[0] != '{' || isRecord(n.entry.object))
		if several || !f.mayHaveFailed(int(n.entry.place)) {
			return false
		}
	}
	return true
}

func (f *failures) blameInPlace(list int32) {
	for n := range f.entries {
		if e := f.entries[n].entry; e.list == list && f.entries[n].row == noItem {
			f.blame(n, int(e.place))
		}
	}
}

// refusals appends the errors of the answer to dst.
func (f *failures) refusals(dst []Refusal) []Refusal {
	for _, n := range f.entries {
		f.parser.outcome(n.row, n.entry.object)
	}
	dst = append(append(dst, f.parser.out...), f.reported...)
	slices.SortStableFunc(dst, func(a, b Refusal) int { return a.Item - b.Item })
	return dst
}

// outcome adds what the entry v says about item: its errors and messages, or else
// errors by field in v itself or in its payload, or else its status.
func (p *refusalParser) outcome(item int, v jsontext.Value) {
	before := len(p.out)
	if v.Kind() != '{' || isRecord(v) {
		p.explain(item, v, 0)
		return
	}
	var payload jsontext.Value
	for name, e := range jsonscan.Members(v) {
		switch role := roleOf(name); {
		case role == roleError, role == roleWords:
			p.explain(item, e, 1)
		case role == rolePayload && e.Kind() == '{':
			payload = e
		}
	}
	for _, object := range []jsontext.Value{payload, v} {
		if len(p.out) == before {
			p.listed(item, object)
		}
	}
	if len(p.out) == before {
		p.add(item, "", statusWords(v))
	}
}

// explain adds what v, the value of an error, says about item. If v is an object with a
// message of its own, its other members are left out.
func (p *refusalParser) explain(item int, v jsontext.Value, depth int) {
	if depth > maxNesting {
		return
	}
	message := firstOf(v, messageNames)
	switch {
	case v.Kind() == '[':
		for _, e := range jsonscan.Members(v) {
			p.explain(item, e, depth+1)
		}
	case isRecord(v):
		p.reasons(item, string(jsonscan.Text(firstOf(v, fieldNames))), message, depth+1)
	case message.Kind() == '"':
		p.reasons(item, "", message, depth+1)
		p.listed(item, v)
	default:
		p.reasons(item, "", v, depth)
	}
}

// listed adds the members of object that are lists of errors by field, and those within
// errors and details.
func (p *refusalParser) listed(item int, object jsontext.Value) {
	for name, v := range jsonscan.Members(object) {
		switch k := v.Kind(); {
		case slices.Contains(envelopes, string(name)), slices.Contains(shownNames, string(name)):
			// what the answer shows beside it
		case k == '[', k == '{' && slices.Contains(generic, string(name)):
			p.reasons(item, join("", string(jsonscan.Unquote(name))), v, 1)
		}
	}
}

func statusWords(v jsontext.Value) string {
	for name, e := range jsonscan.Members(v) {
		if role := roleOf(name); role != roleStatus && role != roleCode {
			continue
		}
		text := string(jsonscan.Text(e))
		if n, err := strconv.Atoi(text); err == nil && http.StatusText(n) != "" {
			return text + " " + http.StatusText(n)
		}
		return text
	}
	return ""
}
