package main

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/spf13/cobra"

	"flytt/pipeline"
	"flytt/sources"
)

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
		if got := quote(in); got != want {
			t.Errorf("quote(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestAgainLeavesTheRunDirectoryOut(t *testing.T) {
	for _, args := range [][]string{
		{"validate", "in.csv", "--run-dir", "run", "-q"},
		{"validate", "--run-dir=run", "in.csv", "-q"},
		{"validate", "in.csv", "-q"},
		{"validate", "in.csv", "-q", "--run-dir"},
	} {
		j := &job{app: &app{args: args}}
		if got, want := j.again(), "flytt validate in.csv -q"; got != want {
			t.Errorf("after %q: %s, want %s", args, got, want)
		}
	}
}

func TestNextCommandGoesToTheSamePlace(t *testing.T) {
	j := &job{app: &app{}, verb: "import", file: "in.csv"}
	c := &cobra.Command{}
	j.flags.add(c)
	c.Flags().String("base-url", "", "")
	c.Flags().Bool("yes", false, "")
	if err := c.ParseFlags([]string{"--base-url=dev", "--mapping=my map.yaml", "--yes", "-d;", "--run-dir=x", "--profile", "test"}); err != nil {
		t.Fatal(err)
	}
	if got, want := join(j.mended("rejects.csv")), "rejects.csv -m 'my map.yaml' --profile test --base-url dev --yes"; got != want {
		t.Errorf("mended: %s, want %s", got, want)
	}
	if got, want := join(j.carried(meaningFlags, inputFlags)), "-m 'my map.yaml' --profile test -d ';'"; got != want {
		t.Errorf("carried: %s, want %s", got, want)
	}
	j.verb, j.output = "convert", "-"
	if got := j.mended("rejects.csv"); !slices.Equal(got[len(got)-2:], []string{"-o", "-"}) {
		t.Errorf("convert to stdout: %s", join(got))
	}
	j.output = "/x/out.jsonl"
	if got := j.mended("rejects.csv"); got[len(got)-1] != "mended.jsonl" {
		t.Errorf("convert to a file: %s", join(got))
	}
}

func TestParseRejectLimit(t *testing.T) {
	for in, want := range map[string]pipeline.RejectLimit{
		"":     {},
		"0":    {Set: true},
		"50":   {Set: true, Rows: 50},
		"2%":   {Set: true, Percent: 2},
		"0.5%": {Set: true, Percent: 0.5},
		"100%": {Set: true, Percent: 100},
	} {
		if got, err := parseRejectLimit(in); err != nil || got != want {
			t.Errorf("parseRejectLimit(%q) = %+v, %v, want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"-1", "x", "%", "0%", "-2%", "101%", "NaN%", "Inf%", "1.5", " 1", "99999999999999999999"} {
		if got, err := parseRejectLimit(in); exitCode(err) != exitUsage {
			t.Errorf("parseRejectLimit(%q) = %+v, %v, want a usage error", in, got, err)
		}
	}
}

func TestExitCodeThatCounts(t *testing.T) {
	var (
		disk     = errors.New("no space left on device")
		used     = usagef("", "wrong flag")
		rejected = pipeline.Counts{Rejected: 1}
		doubtful = pipeline.Counts{Rejected: 1, InDoubt: 1}
	)
	for _, test := range []struct {
		name   string
		err    error
		counts pipeline.Counts
		want   int
	}{
		{"all written", nil, pipeline.Counts{Written: 2}, exitDone},
		{"some rejected", nil, rejected, exitRejects},
		{"in doubt before rejected", nil, doubtful, exitUncertain},
		{"too many rejected", pipeline.ErrMaxRejects, rejected, exitMaxRejects},
		{"in doubt before too many rejected", pipeline.ErrMaxRejects, doubtful, exitUncertain},
		{"fatal before in doubt", disk, doubtful, exitFatal},
		{"interrupted before in doubt", pipeline.ErrInterrupted, doubtful, exitInterrupted},
		{"usage before all", used, doubtful, exitUsage},
		{"fatal before too many rejected", errors.Join(pipeline.ErrMaxRejects, disk), rejected, exitFatal},
		{"interrupted before fatal", errors.Join(disk, pipeline.ErrInterrupted), rejected, exitInterrupted},
		{"usage before interrupted", errors.Join(pipeline.ErrInterrupted, errors.Join(disk, used)), rejected, exitUsage},
		{"wrapped", fmt.Errorf("in.csv: %w", pipeline.ErrInterrupted), rejected, exitInterrupted},
		{"output", &pipeline.UsageError{Place: "out.csv", Cause: "exists already"}, pipeline.Counts{}, exitUsage},
		{"input asked for wrongly", &sources.Error{Usage: true}, pipeline.Counts{}, exitUsage},
		{"input that cannot be read", &sources.Error{}, pipeline.Counts{}, exitFatal},
	} {
		if got := runExit(test.err, test.counts); got != test.want {
			t.Errorf("%s: exit code %d, want %d", test.name, got, test.want)
		}
	}
}

func TestEveryCodeHasAMeaning(t *testing.T) {
	for _, info := range codes() {
		if got := meaning(info.Code); got == "" || got == string(info.Code) {
			t.Errorf("%s has no meaning", info.Code)
		}
	}
}

func TestACodeMeansOneThing(t *testing.T) {
	meanings := map[pipeline.Code]string{}
	for _, c := range codes() {
		if other, twice := meanings[c.Code]; twice && other != c.Meaning {
			t.Errorf("%s means %q, and %q", c.Code, other, c.Meaning)
		}
		meanings[c.Code] = c.Meaning
	}
}
