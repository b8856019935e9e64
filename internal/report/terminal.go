package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"flytt/internal/text"
	"flytt/pipeline"
)

// maxReasons is how many reasons the terminal lists before it only says how many more
// there are.
const maxReasons = 12

// Print writes the account of a run for a person: what became of the rows, the
// reasons, the files. Meaning returns what a code stands for.
func (s *Summary) Print(w io.Writer, meaning func(pipeline.Code) string) error {
	p := &printer{w: w, meaning: meaning}
	p.counts(s)
	p.plan(s.Plan)
	p.reasons(wordsOf(s.Verb).reasons, s.Rejects)
	p.reasons("Repaired by rule", s.Repairs)
	p.reasons("Warnings", s.Warnings)
	p.files(s.Files)
	return p.err
}

// printer writes until the first error.
type printer struct {
	w       io.Writer
	meaning func(pipeline.Code) string
	err     error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) counts(s *Summary) {
	title := s.Resource
	if s.Input != nil {
		title = s.Input.File + preposition(s.Verb) + s.Resource
	}
	if s.Target != "" {
		title += " at " + s.Target
	}
	rate := ""
	if s.Seconds >= 0.1 {
		rate = fmt.Sprintf(", %s rows/s", text.Number(int64(float64(s.Rows.Read)/s.Seconds)))
	}
	p.printf("%s: %s (%.1f s%s)\n\n", s.Verb, title, s.Seconds, rate)
	c := s.Rows
	words, planned := wordsOf(s.Verb), s.Plan != nil // the plan has the rest
	p.fateLines(c.Read, words, []fateLine{
		{"read", c.Read, true, ""},
		{"valid", c.Valid, s.Verb == "validate", "nothing was sent; only the API knows more"},
		{words.written, c.Written, s.Verb != "validate" && s.Verb != "verify" && s.Verb != "plan", words.changes(c)},
		{words.unchanged, c.Unchanged, (c.Unchanged > 0 || s.Verb == "verify") && !planned, words.unchangedSay},
		{"skipped", c.Skipped, c.Skipped > 0 && !planned, words.skippedSay(c)},
		{words.rejected, c.Rejected, (s.Verb != "export" || c.Rejected > 0) && !planned, ""},
		{"in doubt", c.InDoubt, c.InDoubt > 0, "sent, but no answer shows whether they arrived; they are never sent again"},
		{"not sent", c.NotSent, c.NotSent > 0, "the run stopped first"},
	})
	if s.List != nil {
		p.list(s.List)
	}
	if !s.Balanced {
		p.printf("\n  These numbers do not add up, which is a bug in flytt. Do not rely on this run.\n")
	}
}

// fateLine says how many rows had a fate.
type fateLine struct {
	name string
	n    int64
	show bool
	say  string // what is worth knowing about it, or empty
}

// fateLines prints those of lines that are to be shown, of so many rows that were read.
func (p *printer) fateLines(read int64, words words, lines []fateLine) {
	width, names := len(text.Number(read)), max(len("unchanged"), len(words.written))
	for _, l := range lines {
		if !l.show {
			continue
		}
		p.printf("  %-*s  %*s", names, l.name, width, text.Number(l.n))
		if l.say != "" {
			p.printf("   %s", l.say)
		}
		p.printf("\n")
	}
}

// plan prints what would happen to the rows, and which fields would change.
func (p *printer) plan(plan *Plan) {
	if plan == nil {
		return
	}
	p.printf("\nWhat an import would do to the %s; nothing was sent\n", text.Counted(plan.Records, "existing record"))
	lines := []struct {
		name string
		n    int64
		of   bool // part of the line above
	}{
		{"create", plan.Create, false},
		{"  like an existing record", plan.DuplicateOfRecord, true},
		{"update", plan.Update, false},
		{"unchanged", plan.Unchanged, false},
		{"skip", plan.Skip, false},
		{"reject", plan.Reject, false},
		{"  like another row of the file", plan.DuplicateInFile, true},
	}
	width := len(text.Number(plan.Create + plan.Update + plan.Unchanged + plan.Skip + plan.Reject))
	for _, l := range lines {
		if l.n > 0 || !l.of {
			p.printf("  %*s  %s\n", width, text.Number(l.n), l.name)
		}
	}
	p.reasons("Fields that would change", plan.Fields)
}

// words are what the report of a verb calls the fates of rows.
type words struct {
	written, new, changed   string
	unchanged, unchangedSay string
	skipped                 string
	rejected                string
	reasons                 string // title
}

// wordsOf returns the words of a verb: those that check an earlier run have their own.
func wordsOf(verb string) words {
	switch verb {
	case "verify":
		return words{unchanged: "as sent", unchangedSay: "their records hold what was sent, in the form that the API stores", skipped: "not written by the run",
			rejected: "differ", reasons: "What differs"}
	case "undo":
		return words{written: "undone", new: "deleted", changed: "restored", unchanged: "as before", unchangedSay: "already undone",
			skipped: "not written by the run", rejected: "kept", reasons: "Why records were kept"}
	}
	return importWords
}

// importWords are those of all other verbs.
var importWords = words{
	written: "written", new: "created", changed: "updated", unchanged: "unchanged", unchangedSay: "their records hold the same already",
	skipped: "left out by the mapping", rejected: "rejected", reasons: "Why rows were rejected",
}

// skippedSay splits the skipped rows into those that were left out and those whose key
// existed.
func (w words) skippedSay(c pipeline.Counts) string {
	existing := text.Number(c.Existing) + " already there, with other values"
	switch {
	case c.Existing == 0:
		return w.skipped
	case c.Existing == c.Skipped:
		return "already there, with other values"
	}
	return fmt.Sprintf("%s %s, %s", text.Number(c.Skipped-c.Existing), w.skipped, existing)
}

// changes splits the written rows into those with new records and the others, if there
// are any.
func (w words) changes(c pipeline.Counts) string {
	if c.Updated == 0 && w.new == "created" {
		return ""
	}
	return fmt.Sprintf("(%s %s, %s %s)", text.Number(c.Written-c.Updated), w.new, text.Number(c.Updated), w.changed)
}

// list says whether an export is known to be whole.
func (p *printer) list(l *List) {
	if l.Complete {
		p.printf("\n  Proved complete: each record that did not change while the list was read is there once.\n")
		return
	}
	p.printf("\n  Not proved complete: %s.\n", cmp.Or(l.Doubt, "reading did not finish"))
}

func preposition(verb string) string {
	if verb == "validate" {
		return " against "
	}
	return " to "
}

func (p *printer) reasons(title string, list []Reason) {
	if len(list) == 0 {
		return
	}
	p.printf("\n%s\n", title)
	shown := list[:min(len(list), maxReasons)]
	width := max(len("rows"), len(text.Number(shown[0].Count)))
	table := [][]string{{fmt.Sprintf("%*s", width, "rows"), "field", "code", "first", "what it means"}}
	for _, r := range shown {
		table = append(table, []string{fmt.Sprintf("%*s", width, text.Number(r.Count)), cmp.Or(r.Field, "(row)"), string(r.Code), r.first(), p.meaning(r.Code)})
	}
	for _, line := range text.Columns(table, len(table[0])) {
		p.printf("  %s\n", line)
	}
	if rest := list[len(shown):]; len(rest) > 0 {
		var n int64
		for _, r := range rest {
			n += r.Count
		}
		p.printf("  and %d more kinds, %s in all: summary.json has them\n", len(rest), text.Number(n))
	}
}

// first names the first row that has r, for a person who has the sheet before
// them: F17, row 17, line 17.
func (r *Reason) first() string {
	switch {
	case r.Row == 0:
		return "-"
	case r.Place == "":
		return "line " + strconv.FormatInt(r.Row, 10)
	}
	cell := r.Place[strings.LastIndexByte(r.Place, '!')+1:]
	if strings.Trim(cell, "0123456789") == "" {
		return "row " + cell
	}
	return cell
}

func (p *printer) files(files map[string]string) {
	if len(files) == 0 {
		return
	}
	names := make([]string, 0, len(files))
	width := 0
	for name := range files {
		names = append(names, name)
		width = max(width, utf8.RuneCountInString(name))
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := fileRank(a) - fileRank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	p.printf("\nFiles\n")
	for _, name := range names {
		p.printf("  %-*s  %s\n", width, name, files[name])
	}
}

// fileRank orders files so that those a person looks for come first.
func fileRank(name string) int {
	order := []string{"output", "manifest", "rejects", "in_doubt", "written", "undone"}
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	if strings.HasPrefix(name, "missing_") {
		return len(order)
	}
	return len(order) + 1
}
