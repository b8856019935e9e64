package advice_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/advice"
)

func TestErrorsKeepTheirCauseAndTheirHint(t *testing.T) {
	for name, err := range map[string]error{
		"usage":     advice.Usage(fs.ErrNotExist, "look again"),
		"formatted": advice.Usagef("look again", "in.csv: %w", fs.ErrNotExist),
		"uncertain": &advice.UncertainError{Err: fs.ErrNotExist, Advice: "look again"},
		"next":      &advice.NextError{Err: advice.Usage(fs.ErrNotExist, "look again")},
		"wrapped":   fmt.Errorf("the run: %w", advice.Usage(fs.ErrNotExist, "look again")),
	} {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the cause is lost in %v", name, err)
		}
		if got := advice.HintOf(err); got != "look again" {
			t.Errorf("%s: hint %q", name, got)
		}
	}
	if got := advice.HintOf(fs.ErrNotExist); got != "" {
		t.Errorf("hint %q of an error without one", got)
	}
}

func TestThenKeepsTheFirstAdvice(t *testing.T) {
	first := advice.Step{Command: advice.Command{Verb: "resume", Run: "/runs/a"}}
	err := advice.Then(advice.Then(fs.ErrNotExist, first), advice.Step{Command: advice.Command{Same: true}})
	var next *advice.NextError
	if !errors.As(err, &next) {
		t.Fatalf("no advice in %v", err)
	}
	if diff := cmp.Diff(first, next.Next); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if advice.Then(nil, first) != nil {
		t.Error("advice without an error is an error")
	}
}

func TestZeroIsNothingToDo(t *testing.T) {
	if !(advice.Step{}).IsZero() || (advice.Step{Command: advice.Command{Same: true}}).IsZero() {
		t.Error("IsZero")
	}
}

func TestQuoteForAShell(t *testing.T) {
	for in, want := range map[string]string{
		"":                 "''",
		"in.csv":           "in.csv",
		"-":                "-",
		"--max-rejects=2%": "--max-rejects=2%",
		"åäö/Kund.csv":     "åäö/Kund.csv",
		"two words.csv":    "'two words.csv'",
		"it's.csv":         `'it'\''s.csv'`,
		"$(rm -rf x)":      "'$(rm -rf x)'",
		"a;b":              "'a;b'",
		"~/x":              "'~/x'",
		"日本":               "'日本'",
	} {
		if got := advice.Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}
