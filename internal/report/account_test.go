package report

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
)

// tally counts fates as a run that read them does.
func tally(fates []pipeline.Fate) pipeline.Counts {
	c := pipeline.Counts{Read: int64(len(fates))}
	for _, f := range fates {
		switch f {
		case pipeline.Written:
			c.Written++
		case pipeline.Updated:
			c.Written++
			c.Updated++
		case pipeline.Unchanged:
			c.Unchanged++
		case pipeline.Skipped:
			c.Skipped++
		case pipeline.Rejected:
			c.Rejected++
		case pipeline.InDoubt:
			c.InDoubt++
		case pipeline.NotSent:
			c.NotSent++
		}
	}
	return c
}

var someFates = []pipeline.Fate{
	pipeline.Written, pipeline.Updated, pipeline.Unchanged, pipeline.Skipped,
	pipeline.Rejected, pipeline.Rejected, pipeline.Rejected, pipeline.InDoubt, pipeline.NotSent,
}

// family makes a run of up to most rows with random fates and a few retries of
// the rows that it rejected, in which rows are that it did not. Now holds what
// became of each row in the end.
func family(r *rand.Rand, most int) (parts []Part, now []pipeline.Fate) {
	now = make([]pipeline.Fate, r.IntN(most+1))
	for i := range now {
		now[i] = someFates[r.IntN(len(someFates))]
	}
	parts = []Part{{Run: "run", Verb: "import", State: StateDone, Rows: tally(now)}}
	for range r.IntN(5) {
		var fates []pipeline.Fate
		p := Part{Run: "retry", Verb: "retry", State: StateDone}
		for i := range now {
			switch {
			case r.IntN(3) == 0:
			case now[i] != pipeline.Rejected:
				p.NotEligible++
				fates = append(fates, pipeline.Rejected)
			default:
				now[i] = someFates[r.IntN(len(someFates))]
				fates = append(fates, now[i])
			}
		}
		p.Rows = tally(fates)
		parts = append(parts, p, Part{Run: "verify", Verb: "verify", State: StateDone, Rows: tally(now[:len(now)/2])})
	}
	return parts, now
}

func TestAccountHasEveryRowOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 11))
	for range 5000 {
		parts, now := family(r, 40)
		a := NewAccount(parts)
		if diff := cmp.Diff(tally(now), a.Rows); diff != "" || !a.Balanced || len(a.Discrepancies) > 0 {
			t.Fatalf("parts %+v\nfaults %q\n%s", parts, a.Discrepancies, diff)
		}
	}
}

// TestAccountFindsEveryWrongNumber changes one number of one part, which has to
// show.
func TestAccountFindsEveryWrongNumber(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 13))
	for range 5000 {
		parts, _ := family(r, 40)
		c := &parts[r.IntN(len(parts))].Rows
		n := []*int64{&c.Read, &c.Written, &c.Unchanged, &c.Skipped, &c.Rejected, &c.InDoubt, &c.NotSent}[r.IntN(7)]
		*n += 1 + r.Int64N(3)
		if a := NewAccount(parts); a.Balanced || len(a.Discrepancies) == 0 {
			t.Fatalf("a wrong number is not found: %+v", parts)
		}
	}
}

func TestAccountFindsRowsRetriedTwice(t *testing.T) {
	run := Part{Run: "run", Verb: "import", Rows: pipeline.Counts{Read: 10, Written: 8, Rejected: 2}}
	retry := Part{Run: "retry", Verb: "retry", Rows: pipeline.Counts{Read: 2, Written: 2}}
	a := NewAccount([]Part{run, retry, retry})
	want := []string{
		"retry sent 2 rows of those rejected, and there were 0",
		"more rows were retried than rejected",
	}
	if diff := cmp.Diff(want, a.Discrepancies); diff != "" || a.Balanced {
		t.Error(diff)
	}
}

func TestAccountOfOtherVerbs(t *testing.T) {
	validate := Part{Run: "v", Verb: "validate", State: StateDone, Rows: pipeline.Counts{Read: 3, Valid: 2, Rejected: 1}}
	if a := NewAccount([]Part{validate}); !a.Balanced || a.Rows.Valid != 2 {
		t.Errorf("faults %q, rows %+v", a.Discrepancies, a.Rows)
	}
	plan := Part{Run: "p", Verb: "plan", State: StateDone, Rows: pipeline.Counts{Read: 4, Valid: 2, Unchanged: 1, Rejected: 1}}
	if a := NewAccount([]Part{plan}); !a.Balanced || a.Rows != plan.Rows {
		t.Errorf("faults %q, rows %+v", a.Discrepancies, a.Rows)
	}
	run := Part{Run: "r", Verb: "import", State: StateDone, Rows: pipeline.Counts{Read: 3, Written: 3}}
	undo := Part{Run: "u", Verb: "undo", State: StateInterrupted, Rows: pipeline.Counts{Read: 3, Written: 2, NotSent: 1}}
	a := NewAccount([]Part{run, undo})
	if !a.Balanced || a.Undone != 2 || a.Rows != run.Rows {
		t.Errorf("account %+v", a)
	}
	if a := NewAccount([]Part{run, undo, undo}); a.Balanced {
		t.Error("more was undone than written, and the account balances")
	}
	again := undo
	again.UndoneBefore = 1
	if a := NewAccount([]Part{run, undo, again}); !a.Balanced || a.Undone != 3 {
		t.Errorf("account %+v", a)
	}
	if a := NewAccount(nil); !a.Balanced {
		t.Error("no part does not balance")
	}
}
