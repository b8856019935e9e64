package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"flytt/internal/advice"
	"flytt/internal/journal"
	"flytt/internal/report"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

func TestArgsAreThoseThatDifferFromTheDefaults(t *testing.T) {
	s := Defaults()
	for name, text := range map[string]string{"base-url": "dev", "mapping": "my map.yaml", "yes": "true", "delimiter": ";", "profile": "test"} {
		if known, err := s.SetFlag(name, []string{text}); !known || err != nil {
			t.Fatalf("%s: %t, %v", name, known, err)
		}
	}
	if got, want := advice.Join(s.Args(MeaningFlag, TargetFlag)), "-m 'my map.yaml' --profile test --base-url dev --yes"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := advice.Join(s.Args(MeaningFlag, InputFlag)), "-m 'my map.yaml' --profile test -d ';'"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestFlagsComeBackAsTheyWereGiven sets every flag, and sets those that a journal has of
// it in another spec.
func TestFlagsComeBackAsTheyWereGiven(t *testing.T) {
	values := map[string][]string{
		"*string": {"x y"}, "*bool": {"true"}, "*[]string": {"a", "b,c"}, "*int": {"7"}, "*float64": {"0.5"}, "*time.Duration": {"1m30s"},
	}
	s := Defaults()
	if given := s.given(); len(given) > 0 {
		t.Errorf("flags of the defaults: %v", given)
	}
	want := map[string][]string{}
	for i := range flags {
		f := &flags[i]
		texts := values[fmt.Sprintf("%T", f.field(&s))]
		if f.name == "undoable" {
			texts = []string{"false"}
		}
		if _, err := s.SetFlag(f.name, texts); err != nil {
			t.Fatal(err)
		}
		if f.name != "mapping" {
			want[f.name] = texts
		}
	}
	given := s.given()
	if diff := cmp.Diff(want, given); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
	again := Defaults()
	again.Mapping = s.Mapping
	if err := again.setRecorded(given, func(*flag) bool { return false }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, again, cmpopts.IgnoreFields(Spec{}, "Store", "Stdin", "Stdout")); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func TestFlagsThatCannotBeRead(t *testing.T) {
	for name, texts := range map[string][]string{"header-row": {"x"}, "yes": {"perhaps"}, "rate": {}, "settle": {"1", "2"}, "undoable": {"no"}} {
		s := Defaults()
		if known, err := s.SetFlag(name, texts); !known || err == nil {
			t.Errorf("%s %q: known %t, error %v", name, texts, known, err)
		}
	}
	s := Defaults()
	if known, err := s.SetFlag("run-dir", []string{"x"}); known || err != nil {
		t.Errorf("run-dir: known %t, error %v", known, err)
	}
	none := func(*flag) bool { return false }
	if err := s.setRecorded(map[string][]string{"json": {"true"}}, none); err != nil {
		t.Errorf("a flag of an older journal: %v", err)
	}
	if err := s.setRecorded(map[string][]string{"colour": {"red"}}, none); err == nil {
		t.Error("an unknown flag is taken")
	}
}

// TestLikeIsOfTheSameResource refuses a run of another one.
func TestLikeIsOfTheSameResource(t *testing.T) {
	r := &remote{rows: &fileRows{binding: &binding{resource: &mappings.Resource{Name: "tenant"}}}}
	err := r.checkLike("run1", &journal.Header{Resource: "apartment"})
	if err == nil || err.Error() != "--like run1: it wrote apartment, and these rows are tenant" || ExitCode(err) != report.ExitUsage {
		t.Errorf("error %v", err)
	}
}

// TestAnInputThatChangedIsNotReadAgain appends to an input between two passes.
func TestAnInputThatChangedIsNotReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in.csv")
	if err := os.WriteFile(file, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	in := newFileRows(&session{spec: &Spec{File: file}}, nil).input
	if err := in.openFirst(); err != nil {
		t.Fatal(err)
	}
	if err := in.reopen(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("a,b\n1,2\n3,4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := in.reopen(); !errors.Is(err, sources.ErrChanged) {
		t.Errorf("opened again: %v", err)
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
		if got, err := parseRejectLimit(in); ExitCode(err) != report.ExitUsage {
			t.Errorf("parseRejectLimit(%q) = %+v, %v, want a usage error", in, got, err)
		}
	}
}

func TestExitCodeThatCounts(t *testing.T) {
	var (
		disk     = errors.New("no space left on device")
		used     = advice.Usagef("", "wrong flag")
		rejected = pipeline.Counts{Rejected: 1}
		doubtful = pipeline.Counts{Rejected: 1, InDoubt: 1}
	)
	for _, test := range []struct {
		name   string
		err    error
		counts pipeline.Counts
		want   int
	}{
		{"all written", nil, pipeline.Counts{Written: 2}, report.ExitDone},
		{"some rejected", nil, rejected, report.ExitRejects},
		{"in doubt before rejected", nil, doubtful, report.ExitUncertain},
		{"too many rejected", pipeline.ErrMaxRejects, rejected, report.ExitMaxRejects},
		{"in doubt before too many rejected", pipeline.ErrMaxRejects, doubtful, report.ExitUncertain},
		{"fatal before in doubt", disk, doubtful, report.ExitFatal},
		{"interrupted before in doubt", pipeline.ErrInterrupted, doubtful, report.ExitInterrupted},
		{"usage before all", used, doubtful, report.ExitUsage},
		{"fatal before too many rejected", errors.Join(pipeline.ErrMaxRejects, disk), rejected, report.ExitFatal},
		{"interrupted before fatal", errors.Join(disk, pipeline.ErrInterrupted), rejected, report.ExitInterrupted},
		{"usage before interrupted", errors.Join(pipeline.ErrInterrupted, errors.Join(disk, used)), rejected, report.ExitUsage},
		{"wrapped", fmt.Errorf("in.csv: %w", pipeline.ErrInterrupted), rejected, report.ExitInterrupted},
		{"output", &pipeline.UsageError{Place: "out.csv", Cause: "exists already"}, pipeline.Counts{}, report.ExitUsage},
		{"input asked for wrongly", &sources.Error{Usage: true}, pipeline.Counts{}, report.ExitUsage},
		{"input that cannot be read", &sources.Error{}, pipeline.Counts{}, report.ExitFatal},
	} {
		if got := exitOf(test.err, test.counts); got != test.want {
			t.Errorf("%s: exit code %d, want %d", test.name, got, test.want)
		}
	}
}
