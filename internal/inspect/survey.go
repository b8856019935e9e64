package inspect

import (
	"cmp"
	"hash/maphash"
	"slices"

	"flytt/mappings/format"
	"flytt/pipeline"
)

const (
	mostDistinct = 10_000  // different values told apart in a column
	allDistinct  = 1 << 20 // and in all columns together, in one goroutine
	mostForms    = 1000    // different forms of values kept of a column
	allForms     = 1 << 17 // and of all columns together
	formsShown   = 3
)

// survey is what was found out about rows: a step that changes nothing. Surveys
// of different rows are added up by merge.
type survey struct {
	plan     *surveyPlan
	rows     int64 // with those that cannot be read
	columns  []columnSurvey
	problems map[pipeline.Code]*problemSurvey
	view     pipeline.Column
}

// surveyPlan is what the surveys of an input share.
type surveyPlan struct {
	width    int // columns
	kinds    []kind
	seed     maphash.Seed
	distinct int                   // different values told apart in a column
	forms    int                   // different forms kept of a column
	form     func(v []byte) string // how a value is shown
}

func newSurveyPlan(width int, kinds []kind, form func([]byte) string) *surveyPlan {
	return &surveyPlan{
		width: width, kinds: kinds, seed: maphash.MakeSeed(), form: form,
		distinct: min(mostDistinct, max(allDistinct/max(width, 1), formsShown)),
		forms:    min(mostForms, max(allForms/max(width, 1), formsShown)),
	}
}

// columnSurvey is what was found out about the values of a column, without
// white space around them.
type columnSurvey struct {
	empty    int64
	values   int64 // that are not empty
	longest  int   // in characters
	fits     []int64
	hashes   map[uint64]struct{} // of different values
	overflow bool                // there are more than hashes
	forms    map[string]int      // how values look, and how often; nil: not asked for
	order    []string            // forms as they came
}

type problemSurvey struct {
	count    int64
	row      int64 // the first that has it
	severity pipeline.Severity
}

// newSurvey returns a survey of no rows yet, which keeps how values look if forms says so.
func (p *surveyPlan) newSurvey(forms bool) *survey {
	s := &survey{plan: p, columns: make([]columnSurvey, p.width), problems: map[pipeline.Code]*problemSurvey{}}
	for i := range s.columns {
		s.columns[i].fits = make([]int64, len(p.kinds))
		s.columns[i].hashes = map[uint64]struct{}{}
		if forms {
			s.columns[i].forms = map[string]int{}
		}
	}
	return s
}

// Apply implements pipeline.Step.
func (s *survey) Apply(b *pipeline.Batch) error {
	s.add(b, b.Len())
	return nil
}

// add adds the first n rows of b.
func (s *survey) add(b *pipeline.Batch, n int) {
	s.rows += int64(n)
	for i := range s.columns {
		s.view.Trim(&b.Input[i])
		c := &s.columns[i]
		for row := range n {
			if b.Fates[row] != pipeline.Broken {
				c.add(s.plan, s.view.Value(row))
			}
		}
	}
	for i := range b.Problems {
		if p := &b.Problems[i]; int(p.Row) < n {
			row := int64(0)
			if p.Row >= 0 {
				row = b.Rows[p.Row]
			}
			s.note(p.Code, problemSurvey{1, row, p.Severity})
		}
	}
}

// note adds up problems of one code.
func (s *survey) note(code pipeline.Code, more problemSurvey) {
	p := s.problems[code]
	if p == nil {
		s.problems[code] = &more
		return
	}
	p.count += more.count
	if more.row > 0 && (p.row == 0 || more.row < p.row) {
		p.row = more.row
	}
}

func (c *columnSurvey) add(p *surveyPlan, v []byte) {
	if len(v) == 0 {
		c.empty++
		return
	}
	c.values++
	if len(v) > c.longest {
		c.longest = max(c.longest, format.Length(v))
	}
	for i := range p.kinds {
		if p.kinds[i].fits(v) {
			c.fits[i]++
		}
	}
	if !c.overflow {
		c.hash(maphash.Bytes(p.seed, v), p.distinct)
	}
	if c.forms != nil && len(c.forms) < p.forms {
		c.keep(p.form(v))
	}
}

func (c *columnSurvey) hash(h uint64, most int) {
	if _, known := c.hashes[h]; known {
		return
	}
	if len(c.hashes) == most {
		c.overflow = true
		return
	}
	c.hashes[h] = struct{}{}
}

func (c *columnSurvey) keep(form string) {
	if c.forms[form] == 0 {
		c.order = append(c.order, form)
	}
	c.forms[form]++
}

// merge adds what other found out, in rows that come after those of s.
func (s *survey) merge(other *survey) {
	s.rows += other.rows
	for code, p := range other.problems {
		s.note(code, *p)
	}
	for i := range s.columns {
		s.columns[i].merge(&other.columns[i], s.plan.distinct)
	}
}

func (c *columnSurvey) merge(other *columnSurvey, most int) {
	c.empty += other.empty
	c.values += other.values
	c.longest = max(c.longest, other.longest)
	for i, n := range other.fits {
		c.fits[i] += n
	}
	c.overflow = c.overflow || other.overflow
	for h := range other.hashes {
		c.hash(h, most)
	}
}

// kind returns what at least half of the values are, and how many fit: the
// first of kinds, or text; nothing without values.
func (c *columnSurvey) kind(kinds []kind) (name string, fits int64) {
	if c.values == 0 {
		return "", 0
	}
	for i, n := range c.fits {
		if 2*n >= c.values {
			return kinds[i].name, n
		}
	}
	return textKind, c.values
}

// usual returns the forms that most values have, the first of equals first.
func (c *columnSurvey) usual() []string {
	forms := slices.Clone(c.order)
	slices.SortStableFunc(forms, func(a, b string) int { return cmp.Compare(c.forms[b], c.forms[a]) })
	return forms[:min(len(forms), formsShown)]
}
