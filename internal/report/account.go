package report

import (
	"fmt"
	"time"

	"flytt/internal/text"
	"flytt/pipeline"
)

// The states of a run.
const (
	StateDone        = "done"        // it processed its whole input
	StateInterrupted = "interrupted" // a person stopped it in an orderly way
	StateFailed      = "failed"      // it stopped before the end of its input, with an error
	StateKilled      = "killed"      // it ended without saying so
	StateRunning     = "running"     // a process is working on it
)

// Part is what one run of an Account did.
type Part struct {
	Run    string    `json:"run"`
	Path   string    `json:"path"`
	Parent string    `json:"parent,omitempty"` // path of the run it belongs to
	Verb   string    `json:"verb"`
	State  string    `json:"state"`
	Began  time.Time `json:"began"`

	Rows pipeline.Counts `json:"rows"`

	// NotEligible are those of Rows.Rejected that a retry may not send: rows that had
	// arrived already, or that its parent had not rejected.
	NotEligible int64 `json:"refused,omitempty"`

	// UndoneBefore are those of Rows.Written of an undo that an earlier undo had
	// already undone, before they were changed once more.
	UndoneBefore int64 `json:"again,omitempty"`
}

// Account is what became of the rows of an input in a run group: the run that read it
// first, and the runs that followed it.
type Account struct {
	Parts []Part `json:"parts"` // the run itself first, the others as they began

	// Rows has each row of the input once, with its fate after the last part.
	Rows pipeline.Counts `json:"rows"`

	// Undone is how many of the written rows an undo has undone.
	Undone int64 `json:"undone,omitempty"`

	Balanced      bool     `json:"balanced"`
	Discrepancies []string `json:"faults,omitempty"` // what does not add up, as sentences without a full stop
}

// NewAccount adds up the parts. The first is the run itself. A retry takes rejected
// rows and gives each a new fate; runs of other verbs do not change what was sent.
func NewAccount(parts []Part) *Account {
	a := &Account{Parts: parts}
	if len(parts) == 0 {
		a.Balanced = true
		return a
	}
	a.Rows = parts[0].Rows
	for i := range parts {
		p := &parts[i]
		a.checkPart(p)
		switch {
		case i == 0:
		case p.Verb == "retry":
			a.add(p)
		case p.Verb == "undo":
			a.Undone += p.Rows.Written - p.UndoneBefore
		}
	}
	a.check()
	return a
}

// add moves the rows of the retry p from the rejected ones to their new fates.
func (a *Account) add(p *Part) {
	taken := p.Rows.Read - p.NotEligible
	if taken > a.Rows.Rejected {
		a.AddDiscrepancy("%s sent %s rows of those rejected, and there were %s", p.Run, text.Number(taken), text.Number(a.Rows.Rejected))
	}
	r := &a.Rows
	r.Rejected += p.Rows.Rejected - p.NotEligible - taken
	r.Written += p.Rows.Written
	r.Updated += p.Rows.Updated
	r.Unchanged += p.Rows.Unchanged
	r.Skipped += p.Rows.Skipped
	r.Existing += p.Rows.Existing
	r.InDoubt += p.Rows.InDoubt
	r.NotSent += p.Rows.NotSent
}

// checkPart finds discrepancies within p.
func (a *Account) checkPart(p *Part) {
	if sum := accountedFor(p); sum != p.Rows.Read {
		a.AddDiscrepancy("%s read %s rows and has results for %s", p.Run, text.Number(p.Rows.Read), text.Number(sum))
	}
	if p.NotEligible > p.Rows.Rejected {
		a.AddDiscrepancy("%s refused %s rows and rejected %s", p.Run, text.Number(p.NotEligible), text.Number(p.Rows.Rejected))
	}
}

// accountedFor returns how many rows of p have a fate.
func accountedFor(p *Part) int64 {
	arrived := p.Rows.Written
	if p.Verb == "validate" || p.Verb == "plan" {
		arrived = p.Rows.Valid
	}
	c := &p.Rows
	return arrived + c.Unchanged + c.Skipped + c.Rejected + c.InDoubt + c.NotSent
}

// check finds discrepancies over all parts.
func (a *Account) check() {
	total := a.Parts[0]
	total.Rows = a.Rows
	if sum := accountedFor(&total); sum != a.Rows.Read {
		a.AddDiscrepancy("%s rows were read, and %s have a result", text.Number(a.Rows.Read), text.Number(sum))
	}
	if a.Rows.Rejected < 0 {
		a.AddDiscrepancy("more rows were retried than rejected")
	}
	if a.Undone > a.Rows.Written {
		a.AddDiscrepancy("%s rows were undone, and %s were written", text.Number(a.Undone), text.Number(a.Rows.Written))
	}
	a.Balanced = len(a.Discrepancies) == 0
}

// AddDiscrepancy records something that does not add up.
func (a *Account) AddDiscrepancy(format string, args ...any) {
	a.Discrepancies = append(a.Discrepancies, fmt.Sprintf(format, args...))
	a.Balanced = false
}
