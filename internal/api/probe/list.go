package probe

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
)

// listProblem returns the finding for an answer that is not a list; ok if it is one.
func listProblem(r *reply) (f Finding, ok bool) {
	switch {
	case r.Err != nil:
		return unknown("no answer: " + r.Err.Error()), false
	case r.Status/100 != 2:
		return unusual(api.StatusText(r.Status), ""), false
	case r.Problem != "":
		return unusual("unreadable", r.Problem), false
	}
	return Finding{}, true
}

// paging asks for two pages of one row.
func (b *prober) paging(ctx context.Context) Finding {
	one := b.list(ctx, "_page", "1", "_page_size", "1")
	two := b.list(ctx, "_page", "2", "_page_size", "1")
	for _, r := range []*reply{one, two} {
		if f, ok := listProblem(r); !ok {
			return f
		}
	}
	switch {
	case len(one.rows) > 1:
		return unusual("ignored", "1 row was asked for and "+strconv.Itoa(len(one.rows))+" came")
	case len(one.rows) == 1 && slices.Equal(idsOf(one.rows), idsOf(two.rows)):
		return unusual("ignored", "page 2 repeats page 1")
	case len(two.rows) == 0:
		return broken("broken", "page 2 of a longer list is empty")
	}
	return expected("honoured", "")
}

// pagePastEnd requests a page past the end of the list.
func (b *prober) pagePastEnd(ctx context.Context) Finding {
	r := b.list(ctx, "_page", strconv.Itoa(pageBeyondEnd), "_page_size", strconv.Itoa(sampleSize))
	switch {
	case r.Err == nil && r.Status == http.StatusNotFound:
		return expected("404", "")
	case r.OK() && len(r.rows) == 0:
		return expected("empty", "")
	case r.OK():
		return unusual("has rows", "a list that never ends is stopped by its repeated ids only")
	}
	f, _ := listProblem(r)
	return f
}

// pageSize requests larger pages as long as they come full, and finds out whether a
// page that does not was cut.
func (b *prober) pageSize(ctx context.Context) Finding {
	largest := 0
	for _, size := range []int{sampleSize, 1000, 5000} {
		got := len(b.sample)
		if size > sampleSize {
			r := b.page(ctx, 1, size)
			if r.isRefusal() {
				return expected("up to "+strconv.Itoa(largest), fmt.Sprintf("%d is refused", size))
			}
			if f, ok := listProblem(r); !ok {
				return f
			}
			got = len(r.rows)
		}
		switch {
		case got > size:
			return unusual("more than asked", fmt.Sprintf("%d rows for %d", got, size))
		case got < size:
			return b.shortPage(ctx, size, got)
		}
		largest = size
	}
	return expected("as asked", "tried up to "+strconv.Itoa(largest))
}

// page requests one page with ids only.
func (b *prober) page(ctx context.Context, n, size int) *reply {
	return b.list(ctx, "_page", strconv.Itoa(n), "_page_size", strconv.Itoa(size), "_slim", "true")
}

// shortPage distinguishes a page that is short because the list ends from one that is
// short because the API sends no more.
func (b *prober) shortPage(ctx context.Context, size, got int) Finding {
	next := b.page(ctx, 2, size)
	if next.OK() && len(next.rows) > 0 && !slices.Equal(idsOf(next.rows)[:1], b.ids[:1]) {
		return unusual("cut to "+strconv.Itoa(got), strconv.Itoa(size)+" were asked for")
	}
	return expected("as asked", "as far as "+rowCount(got)+" can tell")
}

// unpaged requests the list without paging, and stops reading after the first rows.
func (b *prober) unpaged(ctx context.Context) Finding {
	r := b.listUpTo(ctx, unpagedCap)
	if f, ok := listProblem(r); !ok {
		return f
	}
	n := len(r.rows)
	switch {
	case r.Cut:
		return expected("many rows", fmt.Sprintf("more than %d KiB; not read further", unpagedCap>>10))
	case n < len(b.sample):
		return expected(rowCount(n)+" only", "a page of its own size")
	}
	return expected("whole list", rowCount(n))
}

// jsonLines requests JSON Lines and examines how the objects are separated.
func (b *prober) jsonLines(ctx context.Context) Finding {
	r := b.list(ctx, "_page", "1", "_page_size", "2", "_jsonl", "true")
	if f, ok := listProblem(r); !ok {
		return f
	}
	kind := cmp.Or(r.ContentType, "no content type")
	body := bytes.TrimSpace(r.Body)
	switch {
	case len(body) > 0 && body[0] == '[':
		return expected("an array all the same", kind)
	case bytes.Count(body, []byte("\n"))+1 != len(r.rows):
		return expected("not one object per line", kind)
	}
	return expected("one object per line", kind)
}

// order requests the same rows in ascending and descending order.
func (b *prober) order(ctx context.Context) Finding {
	if b.options.Created == "" {
		return unknown("the resource has no field for it")
	}
	up := b.list(ctx, "_page", "1", "_page_size", "5", "_order_by", b.options.Created+",id")
	down := b.list(ctx, "_page", "1", "_page_size", "5", "_order_by", "-"+b.options.Created+",-id")
	for _, r := range []*reply{up, down} {
		if f, ok := listProblem(r); !ok {
			f.Verdict = max(f.Verdict, Unusual)
			return f
		}
	}
	a, d := b.times(up.rows), b.times(down.rows)
	switch {
	case len(a) < 2 || len(d) < 2:
		return unknown("no " + b.options.Created + " in the rows")
	case !slices.IsSorted(a) || !slices.IsSortedFunc(d, func(x, y string) int { return strings.Compare(y, x) }):
		return unusual("ignored", "up and down are not sorted")
	case slices.Equal(idsOf(up.rows), idsOf(down.rows)):
		return unusual("ignored", "up and down are the same")
	case a[0] == d[0]:
		return unknown("all rows have the same time")
	}
	return expected("honoured", "by "+b.options.Created+" and id")
}

// times returns the times of creation of rows, as they were written: in one
// form, and so in the order of the text.
func (b *prober) times(rows []jsontext.Value) (times []string) {
	for _, row := range rows {
		if v := jsonscan.Member(row, b.options.Created); v.Kind() == '"' {
			times = append(times, string(jsonscan.Text(v)))
		}
	}
	return times
}

// createdFilter requests the rows of one moment, which exports depend on.
func (b *prober) createdFilter(ctx context.Context) Finding {
	i := slices.IndexFunc(b.sample, func(row jsontext.Value) bool {
		return jsonscan.Member(row, b.options.Created).Kind() == '"' && idOf(row) != ""
	})
	if i < 0 {
		return unknown("no row has the field")
	}
	row := b.sample[i]
	at := b.times([]jsontext.Value{row})[0]
	r := b.list(ctx, "_page", "1", "_page_size", strconv.Itoa(sampleSize), b.options.Created+"__gte", at, b.options.Created+"__lte", at)
	if f, ok := listProblem(r); !ok {
		return f
	}
	for _, t := range b.times(r.rows) {
		if t != at {
			return unusual("ignored", "other rows came, too")
		}
	}
	if len(r.rows) < sampleSize && !slices.Contains(idsOf(r.rows), idOf(row)) {
		return unusual("inexact", "a row is not found at its own time")
	}
	return expected("exact", "")
}

// slim requests ids only.
func (b *prober) slim(ctx context.Context) Finding {
	r := b.page(ctx, 1, 2)
	if f, ok := listProblem(r); !ok {
		return f
	}
	most := 0
	for _, row := range r.rows {
		most = max(most, members(row))
	}
	switch {
	case len(idsOf(r.rows)) < len(r.rows) || len(r.rows) == 0:
		return unusual("no ids", "")
	case most == 1:
		return expected("ids only", "")
	case most >= members(b.sample[0]):
		return unusual("ignored", "")
	}
	return unusual("ids and more", strconv.Itoa(most)+" members")
}

func members(v jsontext.Value) (n int) {
	for range jsonscan.Members(v) {
		n++
	}
	return n
}

// statistics requests statistics and finds out the kind of the answer. It does not
// examine the content, which may be keyed by values.
func (b *prober) statistics(ctx context.Context) Finding {
	r := b.get(ctx, api.GetRequest{Path: b.options.Path + "list/", Query: "_page=1&_page_size=1&_statistics=true", Limit: 1 << 20})
	v := jsontext.Value(bytes.TrimSpace(r.Body))
	switch {
	case r.Err != nil:
		return unknown("no answer: " + r.Err.Error())
	case r.Status/100 != 2:
		return expected(api.StatusText(r.Status), "") // nothing depends on it
	case r.Cut || !v.IsValid():
		return expected("no JSON", "")
	}
	switch v.Kind() {
	case '[':
		return expected("a list", "items: "+strconv.Itoa(members(v)))
	case '{':
		if jsonscan.Member(v, "count").Kind() == '0' {
			return expected("an object", "with a count")
		}
		return expected("an object", "members: "+strconv.Itoa(members(v)))
	}
	return expected("a single value", "")
}

// negation requests one of two rows by excluding the other.
func (b *prober) negation(ctx context.Context) Finding {
	one, two := b.ids[0], b.ids[1]
	r := b.list(ctx, "_page", "1", "_page_size", "3", "id__in", one+","+two, "id__in!", one)
	if f, ok := listProblem(r); !ok {
		return f
	}
	got := idsOf(r.rows)
	switch {
	case slices.Equal(got, []string{two}):
		return expected("honoured", "")
	case len(got) == 2 && slices.Contains(got, one) && slices.Contains(got, two):
		return unusual("ignored", "a filter with ! has no effect")
	case len(got) == 0:
		return unusual("broken", "no row came of those that were left")
	}
	return broken("filters ignored", "other rows came than those asked for by id")
}

// isNull finds out which of the usual words for true the API accepts, on a field that
// every row has.
func (b *prober) isNull(ctx context.Context) Finding {
	if b.options.Created == "" {
		return unknown("the resource has no field for it")
	}
	var taken, refused []string
	for _, word := range []string{"true", "True", "1"} {
		r := b.list(ctx, "_page", "1", "_page_size", "1", "id__in", b.ids[0], b.options.Created+"__isnull", word)
		switch {
		case r.OK() && len(r.rows) == 0:
			taken = append(taken, word)
		case r.OK():
		case r.isRefusal():
			refused = append(refused, word)
		default:
			f, _ := listProblem(r)
			return f
		}
	}
	return b.isNullFalse(ctx, taken, refused)
}

// isNullFalse makes sure that the word for false is not taken for true, which
// is what servers do that only look whether there is a word.
func (b *prober) isNullFalse(ctx context.Context, taken, refused []string) Finding {
	detail := ""
	if len(refused) > 0 {
		detail = "not " + strings.Join(refused, ", ")
	}
	if len(taken) == 0 {
		return unusual("ignored", "none of true, True and 1 has an effect")
	}
	word := map[string]string{"true": "false", "True": "False", "1": "0"}[taken[0]]
	r := b.list(ctx, "_page", "1", "_page_size", "1", "id__in", b.ids[0], b.options.Created+"__isnull", word)
	if !r.OK() || len(r.rows) != 1 {
		return unusual(strings.Join(taken, ", "), word+" is not understood")
	}
	if taken[0] != "true" {
		return unusual(strings.Join(taken, ", "), detail)
	}
	return expected(strings.Join(taken, ", "), detail)
}

// caseFolding looks for a row by one letter of its text in the other case. The
// letter is one of å, ä and ö: nothing else of the row is in the request.
func (b *prober) caseFolding(ctx context.Context) Finding {
	for _, row := range b.sample {
		for _, field := range b.options.Text {
			letter := otherCase(string(jsonscan.Text(jsonscan.Member(row, field))))
			if letter == 0 || idOf(row) == "" {
				continue
			}
			r := b.list(ctx, "_page", "1", "_page_size", "1", "id__in", idOf(row), field+"__icontains", string(letter))
			if f, ok := listProblem(r); !ok {
				return f
			}
			if len(r.rows) == 0 {
				return expected("only a to z fold", "å and Å are different letters to icontains")
			}
			return expected("å ä ö, too", "")
		}
	}
	return unknown("no å, ä or ö in the rows")
}

// otherCase returns one of å, ä, ö, Å, Ä and Ö that text does not have but would
// have if case did not count, or 0.
func otherCase(text string) rune {
	for _, letter := range "åäöÅÄÖ" {
		other := unicode.ToUpper(letter)
		if other == letter {
			other = unicode.ToLower(letter)
		}
		if strings.ContainsRune(text, letter) && !strings.ContainsRune(text, other) {
			return other
		}
	}
	return 0
}

// single asks for one record by its id.
func (b *prober) single(ctx context.Context) Finding {
	if api.CheckID(b.ids[0]) != nil {
		return unknown("the id cannot stand in a path")
	}
	r := b.get(ctx, api.GetRequest{Path: b.options.Path, ID: b.ids[0]})
	if f, ok := listProblem(r); !ok {
		f.Verdict = max(f.Verdict, Unusual)
		return f
	}
	if v := jsontext.Value(bytes.TrimSpace(r.Body)); !v.IsValid() || idOf(v) != b.ids[0] {
		return unusual("another object", "the answer does not have the id that was asked for")
	}
	return expected("the object", "")
}

// unknownParameter finds out whether the API notices a misspelt parameter.
func (b *prober) unknownParameter(ctx context.Context) Finding {
	r := b.list(ctx, "_page", "1", "_page_size", "1", "flytt_no_such_parameter", "1")
	switch {
	case r.isRefusal():
		return expected("refused", api.StatusText(r.Status))
	case r.OK():
		return expected("ignored", "")
	}
	f, _ := listProblem(r)
	return f
}
