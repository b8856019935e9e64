package sandbox

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/mappings"
)

// draw makes up a row, the id and created_at aside.
func (g *seeder) draw() *record {
	rec := &record{values: make([]value, len(g.table.fields))}
	p := g.persona()
	given := g.given()
	for i := range g.table.fields {
		if given[i] {
			g.fill(rec, i, p)
		}
	}
	return rec
}

// fill gives the row a value of field i.
func (g *seeder) fill(rec *record, i int, p *persona) {
	f := &g.table.fields[i]
	v, message := f.decode(g.value(i, p))
	if message != "" {
		rec.fault(f.Name, message)
		return
	}
	v.set = true
	rec.values[i] = v
}

// given chooses the fields that have a value: all that have to, most others,
// and so that the rules between fields hold where that is possible.
func (g *seeder) given() []bool {
	given := make([]bool, len(g.table.fields))
	for i := range g.table.fields {
		f := &g.table.fields[i]
		often := 4 // in 5
		if f.Name == g.table.resource.Key {
			often = 49 // in 50
		}
		// The dice fall in any case, so that fields do not sway each other.
		given[i] = g.rng.IntN(often+1) > 0 && !g.table.made(i) || f.Required
	}
	g.choose(given)
	for range g.table.fields { // as often as one can bring in another
		g.complete(given)
	}
	return given
}

// choose applies the rules by which one of several fields must have a value, or only
// one of them.
func (g *seeder) choose(given []bool) {
	for i := range g.table.fields {
		f := &g.table.fields[i]
		if !given[i] && len(f.AnyOf) > 0 && !slices.ContainsFunc(f.AnyOf, g.has(given)) {
			given[i] = true
		}
		if given[i] && slices.ContainsFunc(f.Excludes, g.has(given)) {
			given[i] = f.Required
		}
	}
}

// complete adds the fields that those given bring with them.
func (g *seeder) complete(given []bool) {
	for i := range g.table.fields {
		if !given[i] {
			continue
		}
		f := &g.table.fields[i]
		for _, name := range slices.Concat(f.Together, f.Requires) {
			if j, ok := g.table.index[name]; ok {
				given[j] = true
			}
		}
	}
}

// has returns whether a field has a value, by its name.
func (g *seeder) has(given []bool) func(name string) bool {
	return func(name string) bool {
		i, ok := g.table.index[name]
		return ok && given[i]
	}
}

// value makes up a value of field i, as JSON.
func (g *seeder) value(i int, p *persona) jsontext.Value {
	f := &g.table.fields[i]
	switch f.Type {
	case "integer", "number":
		return g.numeral(f.Field)
	case "boolean":
		return strconv.AppendBool(nil, g.rng.IntN(2) == 0)
	case "reference":
		return g.reference(f.To)
	case "references":
		refs := []byte{'['}
		for j := range g.rng.IntN(4) {
			if j > 0 {
				refs = append(refs, ',')
			}
			refs = append(refs, g.reference(f.To)...)
		}
		return append(refs, ']')
	case "any":
		return jsontext.Value(`{"note":"` + strconv.Itoa(g.made) + `"}`)
	}
	return appendString(nil, g.text(i, p))
}

// reference names one of the pool, or nothing known where the descriptor does
// not say what it refers to.
func (g *seeder) reference(to string) []byte {
	id := drawUUID(g.rng).String()
	if to != "" {
		pool := g.pool(to)
		id = pool[g.rng.IntN(len(pool))]
	}
	return []byte(plainReference + id + `"}`)
}

// numeral draws a number within the field's bounds; where rows have to differ,
// it counts.
func (g *seeder) numeral(f *mappings.Field) jsontext.Value {
	if len(f.Enum) > 0 {
		return jsontext.Value(f.Enum[g.rng.IntN(len(f.Enum))])
	}
	low, high := 0.0, math.Inf(1)
	if f.Minimum != nil {
		low = *f.Minimum
	}
	if f.Maximum != nil {
		high, low = *f.Maximum, min(low, *f.Maximum)
	}
	draw := g.rng.Float64()
	n := low + draw*(min(high, low+10_000)-low)
	switch {
	case f.Unique:
		n = math.Ceil(low) + float64(g.made-1)
	case f.Type == "integer":
		n = max(math.Floor(n), math.Ceil(low))
	default:
		n = min(max(math.Round(n*100)/100, low), high)
	}
	return strconv.AppendFloat(nil, n, 'f', -1, 64)
}

// text makes up the text of field i: a word of its list, what its format asks
// for, what its name suggests, or what its pattern allows.
func (g *seeder) text(i int, p *persona) string {
	f := &g.table.fields[i]
	switch {
	case len(f.Enum) > 0:
		return f.Enum[g.rng.IntN(len(f.Enum))]
	case f.Type == "uuid":
		return drawUUID(g.rng).String()
	case f.Type == "date":
		return g.moment().Format(time.DateOnly)
	case f.Type == "date-time":
		return g.moment().Format(time.RFC3339)
	}
	text := g.plain(f.Field, p)
	if f.Pattern != "" {
		text = g.matching(i, text)
	}
	return g.fitted(f.Field, text)
}

func (g *seeder) moment() time.Time {
	return time.UnixMicro(g.clock).UTC().AddDate(0, 0, -g.rng.IntN(3000))
}

// plain makes up a text without regard to the field's pattern and lengths.
func (g *seeder) plain(f *mappings.Field, p *persona) string {
	if f.Name == g.table.resource.Key {
		return g.number()
	}
	if of, ok := formatTexts[f.Format]; ok {
		return of(g, p)
	}
	if of, ok := namedTexts[f.Name]; ok {
		text := of(g, p)
		if f.Unique {
			text += " " + g.number()
		}
		return text
	}
	if f.Unique {
		return g.number()
	}
	return pick(g.rng, seedWords) + " " + strings.ToLower(pick(g.rng, seedWords))
}

// fitted cuts a text that is too long, by characters, and repeats one that is
// too short.
func (g *seeder) fitted(f *mappings.Field, text string) string {
	for text != "" && utf8.RuneCountInString(text) < f.MinLength {
		text += text
	}
	if f.MaxLength > 0 && utf8.RuneCountInString(text) > f.MaxLength {
		return strings.TrimSpace(string([]rune(text)[:f.MaxLength]))
	}
	return text
}

// matching returns text if field i's pattern takes it, else one made from the
// pattern.
func (g *seeder) matching(i int, text string) string {
	p := g.patterns[i]
	if p == nil {
		p = newPatternText(g.table.fields[i].Pattern)
		g.patterns[i] = p
	}
	if p.MatchString(text) {
		return text
	}
	return p.draw(g.rng)
}
