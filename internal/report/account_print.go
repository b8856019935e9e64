package report

import (
	"io"
	"time"

	"flytt/internal/text"
)

// SpecSummary is what the first run of an account was asked to do.
type SpecSummary struct {
	Verb     string    `json:"verb"`
	File     string    `json:"file,omitempty"`
	Resource string    `json:"resource,omitempty"`
	Mapping  string    `json:"mapping,omitempty"` // as it was named; the run has a copy
	Tenant   string    `json:"tenant,omitempty"`
	Address  string    `json:"address,omitempty"`
	Began    time.Time `json:"began"`
	Tool     string    `json:"tool,omitempty"` // version of flytt
}

// GroupReport describes a run and its run group: what was asked, what each run did, and
// what became of the rows.
type GroupReport struct {
	Run     string            `json:"run"`
	Path    string            `json:"path"`
	Parent  string            `json:"parent,omitempty"` // path of the run it belongs to itself
	Spec    SpecSummary       `json:"asked"`
	Account *Account          `json:"account"`
	Files   map[string]string `json:"files"`
	Next    string            `json:"next,omitempty"` // the command to run next
}

// JSON returns w as one indented JSON object and a line end.
func (w *GroupReport) JSON() ([]byte, error) { return indented(w) }

// Print writes w for a person: what was asked, what each run did, what became of
// the rows, the files.
func (w *GroupReport) Print(to io.Writer) error {
	p := &printer{w: to}
	p.printSpec(w)
	if len(w.Account.Parts) > 1 {
		p.parts(w.Account)
	}
	p.fates(w)
	p.files(w.Files)
	return p.err
}

func (p *printer) printSpec(w *GroupReport) {
	a := &w.Spec
	title := a.Verb
	if a.File != "" {
		title += " " + a.File
	}
	if a.Resource != "" {
		title += preposition(a.Verb) + a.Resource
	}
	p.printf("%s\n\n", title)
	began := ""
	if !a.Began.IsZero() {
		began = a.Began.Local().Format(time.DateTime)
	}
	state := ""
	if len(w.Account.Parts) > 0 {
		state = w.Account.Parts[0].State
	}
	for _, line := range [][2]string{
		{"run", w.Run}, {"began", began}, {"state", state}, {"part of", w.Parent}, {"mapping", a.Mapping},
		{"tenant", a.Tenant}, {"address", a.Address}, {"flytt", a.Tool},
	} {
		if line[1] != "" {
			p.printf("  %-9s  %s\n", line[0], line[1])
		}
	}
}

// parts prints what each run did. There is room for four numbers beside the id of a
// run.
func (p *printer) parts(a *Account) {
	p.printf("\nWhat each run did\n")
	table := [][]string{{"run", "verb", "state", "read", "written", "rejected", "in doubt"}}
	for i := range a.Parts {
		part := &a.Parts[i]
		r := &part.Rows
		table = append(table, []string{part.Run, part.Verb, part.State, text.Number(r.Read), text.Number(r.Written), text.Number(r.Rejected), text.Number(r.InDoubt)})
	}
	for i, line := range text.Columns(table, 3) {
		p.printf("  %s\n", line)
		if i > 0 && a.Parts[i-1].NotEligible > 0 {
			p.printf("    of those rejected, %s had arrived already or were not rejected before\n", text.Number(a.Parts[i-1].NotEligible))
		}
	}
}

// fates prints what became of the rows, each counted once.
func (p *printer) fates(w *GroupReport) {
	a := w.Account
	p.printf("\n%s\n", fatesTitle(len(a.Parts)))
	c := a.Rows
	verb, words := w.Spec.Verb, wordsOf(w.Spec.Verb)
	unsent := verb == "validate" || verb == "plan"
	validSay := ""
	if verb == "plan" {
		validSay = "an import would create or change a record for each"
	}
	p.fateLines(c.Read, words, []fateLine{
		{"read", c.Read, true, ""},
		{"valid", c.Valid, unsent, validSay},
		{words.written, c.Written, !unsent && verb != "verify", words.changes(c)},
		{words.unchanged, c.Unchanged, c.Unchanged > 0, words.unchangedSay},
		{"skipped", c.Skipped, c.Skipped > 0, words.skippedSay(c)},
		{words.rejected, c.Rejected, true, ""},
		{"in doubt", c.InDoubt, c.InDoubt > 0, "sent, but no answer shows whether they arrived"},
		{"not sent", c.NotSent, c.NotSent > 0, "the run stopped first"},
	})
	if a.Undone > 0 {
		p.printf("\n  %s of the rows written %s undone.\n", text.Number(a.Undone), text.Plural(a.Undone, "was", "were"))
	}
	p.verdict(a)
}

func fatesTitle(parts int) string {
	if parts > 1 {
		return "What happened to the rows, over all runs"
	}
	return "What happened to the rows"
}

// verdict prints whether the account adds up.
func (p *printer) verdict(a *Account) {
	if !a.Balanced {
		p.printf("\n  This does not add up:\n")
		for _, f := range a.Discrepancies {
			p.printf("  - %s\n", f)
		}
		return
	}
	p.printf("\n  The numbers add up: each row read is counted once.\n")
	if len(a.Parts) == 0 {
		return
	}
	switch a.Parts[0].State {
	case StateKilled, StateInterrupted, StateFailed:
		p.printf("  The run did not finish; rows that it did not reach are not counted.\n")
	case StateRunning:
		p.printf("  The run is still running; these are its numbers so far.\n")
	}
}
