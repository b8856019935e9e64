package run

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"flytt/internal/runs"
)

// FlagKind says for whom else the value of a flag is meant.
type FlagKind uint8

const (
	MeaningFlag FlagKind = iota // what the rows mean
	InputFlag                   // how the input is written
	TargetFlag                  // where the rows go, and how
	OtherFlag
)

// flag is a flag of the verbs that run something, as the header of a journal and the
// commands that are proposed name it.
type flag struct {
	name  string
	kind  FlagKind
	pace  bool            // it says how fast or how patiently one process works, not what the run is
	field func(*Spec) any // pointer to its field
}

// flags is the table of the flags that a run keeps. A command that is proposed names
// those of one kind in this order.
var flags = []flag{
	{name: "mapping", kind: MeaningFlag, field: func(s *Spec) any { return &s.Mapping }},
	{name: "resource", kind: MeaningFlag, field: func(s *Spec) any { return &s.Resource }},
	{name: "profile", kind: MeaningFlag, field: func(s *Spec) any { return &s.Profile }},
	{name: "mode", kind: MeaningFlag, field: func(s *Spec) any { return &s.Change.Mode }},
	{name: "key", kind: MeaningFlag, field: func(s *Spec) any { return &s.Change.Key }},
	{name: "skip-existing", kind: MeaningFlag, field: func(s *Spec) any { return &s.Change.SkipExisting }},
	{name: "write-nulls", kind: MeaningFlag, field: func(s *Spec) any { return &s.Change.WriteNulls }},
	{name: "duplicates", kind: MeaningFlag, field: func(s *Spec) any { return &s.Duplicates }},

	{name: "encoding", kind: InputFlag, field: func(s *Spec) any { return &s.Input.Encoding }},
	{name: "delimiter", kind: InputFlag, field: func(s *Spec) any { return &s.Input.Delimiter }},
	{name: "header-row", kind: InputFlag, field: func(s *Spec) any { return &s.Input.HeaderRow }},
	{name: "sheet", kind: InputFlag, field: func(s *Spec) any { return &s.Input.Sheet }},
	{name: "skip-hidden", kind: InputFlag, field: func(s *Spec) any { return &s.Input.SkipHidden }},

	{name: "max-rejects", kind: TargetFlag, pace: true, field: func(s *Spec) any { return &s.MaxRejects }},
	{name: "sandbox", kind: TargetFlag, field: func(s *Spec) any { return &s.Place.Sandbox }},
	{name: "base-url", kind: TargetFlag, field: func(s *Spec) any { return &s.Place.BaseURL }},
	{name: "chunk-rows", kind: TargetFlag, field: func(s *Spec) any { return &s.Write.ChunkRows }},
	{name: "concurrency", kind: TargetFlag, pace: true, field: func(s *Spec) any { return &s.Write.Concurrency }},
	{name: "rate", kind: TargetFlag, pace: true, field: func(s *Spec) any { return &s.Write.Rate }},
	{name: "yes", kind: TargetFlag, pace: true, field: func(s *Spec) any { return &s.Place.Yes }},
	{name: "format", kind: TargetFlag, field: func(s *Spec) any { return &s.Output.Format }},
	{name: "excel", kind: TargetFlag, field: func(s *Spec) any { return &s.Output.Excel }},
	{name: "nulls", kind: TargetFlag, field: func(s *Spec) any { return &s.Output.Nulls }},

	{name: "settle", kind: OtherFlag, pace: true, field: func(s *Spec) any { return &s.Write.Settle }},
	{name: "give-up-after", kind: OtherFlag, pace: true, field: func(s *Spec) any { return &s.Write.GiveUpAfter }},
	{name: "stamp", kind: OtherFlag, field: func(s *Spec) any { return &s.Write.Stamp }},
	{name: "like", kind: OtherFlag, field: func(s *Spec) any { return &s.Write.Like }},
	{name: "undoable", kind: OtherFlag, field: func(s *Spec) any { return &s.Write.Undoable }},
	{name: "undo-recipient", kind: OtherFlag, field: func(s *Spec) any { return &s.Write.UndoRecipients }},
}

// given returns the texts of the flag in s if it has another value than its default.
func (f *flag) given(s *Spec) []string {
	defaults := Defaults()
	texts := textsOf(f.field(s))
	if slices.Equal(texts, textsOf(f.field(&defaults))) {
		return nil
	}
	return texts
}

// textsOf returns the value at p as the texts of a flag.
func textsOf(p any) []string {
	switch p := p.(type) {
	case *[]string:
		return *p
	case *string:
		return []string{*p}
	case *time.Duration:
		return []string{p.String()}
	case *bool:
		return []string{strconv.FormatBool(*p)}
	case *int:
		return []string{strconv.Itoa(*p)}
	}
	return []string{strconv.FormatFloat(*p.(*float64), 'g', -1, 64)}
}

// set sets the value at p from the texts of a flag.
func set(p any, texts []string) (err error) {
	if list, ok := p.(*[]string); ok {
		*list = slices.Clone(texts)
		return nil
	}
	if len(texts) != 1 {
		return fmt.Errorf("%d values instead of one", len(texts))
	}
	switch text := texts[0]; p := p.(type) {
	case *string:
		*p = text
	case *time.Duration:
		*p, err = time.ParseDuration(text)
	case *bool:
		*p, err = strconv.ParseBool(text)
	case *int:
		*p, err = strconv.Atoi(text)
	case *float64:
		*p, err = strconv.ParseFloat(text, 64)
	}
	if err != nil {
		return fmt.Errorf("%q cannot be read", texts[0])
	}
	return nil
}

// SetFlag sets the field of s that the flag called name stands for, from the texts of
// its values, and reports whether there is one.
func (s *Spec) SetFlag(name string, texts []string) (known bool, err error) {
	i := slices.IndexFunc(flags, func(f flag) bool { return f.name == name })
	if i < 0 {
		return false, nil
	}
	if err := set(flags[i].field(s), texts); err != nil {
		return true, fmt.Errorf("--%s of the run: %w", name, err)
	}
	return true, nil
}

// given returns the flags of s that have other values than their defaults, but for the
// mapping, of which a run keeps a copy.
func (s *Spec) given() map[string][]string {
	given := map[string][]string{}
	for i := range flags {
		if texts := flags[i].given(s); texts != nil && flags[i].name != "mapping" {
			given[flags[i].name] = texts
		}
	}
	return given
}

// setRecorded sets the flags that an earlier run was given, but for those to skip.
func (s *Spec) setRecorded(given map[string][]string, skip func(f *flag) bool) error {
	for name, texts := range given {
		i := slices.IndexFunc(flags, func(f flag) bool { return f.name == name })
		if i >= 0 && skip(&flags[i]) {
			continue
		}
		known, err := s.SetFlag(name, texts)
		if err != nil {
			return err
		}
		if !known && !slices.Contains(runs.WatchFlags, name) {
			return fmt.Errorf("the run was given --%s, which this version does not know", name)
		}
	}
	return nil
}

// Args returns the flags of some kinds that have other values than their defaults, as
// arguments of a command.
func (s *Spec) Args(kinds ...FlagKind) (args []string) {
	short := strings.NewReplacer("--mapping", "-m", "--delimiter", "-d")
	for _, kind := range kinds {
		for i := range flags {
			f := &flags[i]
			texts := f.given(s)
			if f.kind != kind || texts == nil {
				continue
			}
			args = append(args, short.Replace("--"+f.name))
			if _, isBool := f.field(s).(*bool); !isBool {
				args = append(args, texts...)
			}
		}
	}
	return args
}
