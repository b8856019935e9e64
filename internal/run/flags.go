package run

import (
	"fmt"
	"slices"
	"strconv"
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
	short string // with its dash; empty: there is none
	kind  FlagKind
	pace  bool // it says how fast or how patiently one process works, not what the run is
	field func(*Spec) value
}

// value is a field of a Spec as the text of a flag. Its type says how.
type value interface {
	texts() []string // of the flag; none: it has its default
	set(texts []string) error
}

// flags is the table of the flags that a run keeps. A command that is proposed names
// those of one kind in this order.
var flags = []flag{
	{name: "mapping", short: "-m", kind: MeaningFlag, field: func(s *Spec) value { return textOf(&s.Mapping) }},
	{name: "resource", kind: MeaningFlag, field: func(s *Spec) value { return textOf(&s.Resource) }},
	{name: "profile", kind: MeaningFlag, field: func(s *Spec) value { return textOf(&s.Profile) }},
	{name: "mode", kind: MeaningFlag, field: func(s *Spec) value { return textOf(&s.Change.Mode) }},
	{name: "key", kind: MeaningFlag, field: func(s *Spec) value { return textOf(&s.Change.Key) }},
	{name: "skip-existing", kind: MeaningFlag, field: func(s *Spec) value { return boolOf(&s.Change.SkipExisting) }},
	{name: "write-nulls", kind: MeaningFlag, field: func(s *Spec) value { return boolOf(&s.Change.WriteNulls) }},
	{name: "duplicates", kind: MeaningFlag, field: func(s *Spec) value { return textOf(&s.Duplicates) }},

	{name: "encoding", kind: InputFlag, field: func(s *Spec) value { return textOf(&s.Input.Encoding) }},
	{name: "delimiter", short: "-d", kind: InputFlag, field: func(s *Spec) value { return textOf(&s.Input.Delimiter) }},
	{name: "header-row", kind: InputFlag, field: func(s *Spec) value { return intOf(&s.Input.HeaderRow) }},
	{name: "sheet", kind: InputFlag, field: func(s *Spec) value { return textOf(&s.Input.Sheet) }},
	{name: "skip-hidden", kind: InputFlag, field: func(s *Spec) value { return boolOf(&s.Input.SkipHidden) }},

	{name: "max-rejects", kind: TargetFlag, pace: true, field: func(s *Spec) value { return textOf(&s.MaxRejects) }},
	{name: "sandbox", kind: TargetFlag, field: func(s *Spec) value { return boolOf(&s.Place.Sandbox) }},
	{name: "base-url", kind: TargetFlag, field: func(s *Spec) value { return textOf(&s.Place.BaseURL) }},
	{name: "chunk-rows", kind: TargetFlag, field: func(s *Spec) value { return intOf(&s.Write.ChunkRows) }},
	{name: "concurrency", kind: TargetFlag, pace: true, field: func(s *Spec) value { return intOf(&s.Write.Concurrency) }},
	{name: "rate", kind: TargetFlag, pace: true, field: func(s *Spec) value { return floatOf(&s.Write.Rate) }},
	{name: "yes", kind: TargetFlag, pace: true, field: func(s *Spec) value { return boolOf(&s.Place.Yes) }},
	{name: "format", kind: TargetFlag, field: func(s *Spec) value { return textOf(&s.Output.Format) }},
	{name: "excel", kind: TargetFlag, field: func(s *Spec) value { return boolOf(&s.Output.Excel) }},
	{name: "nulls", kind: TargetFlag, field: func(s *Spec) value { return boolOf(&s.Output.Nulls) }},

	{name: "settle", kind: OtherFlag, pace: true, field: func(s *Spec) value { return durationOf(&s.Write.Settle, DefaultSettle) }},
	{name: "give-up-after", kind: OtherFlag, pace: true, field: func(s *Spec) value { return durationOf(&s.Write.GiveUpAfter, DefaultGiveUpAfter) }},
	{name: "stamp", kind: OtherFlag, field: func(s *Spec) value { return boolOf(&s.Write.Stamp) }},
	{name: "like", kind: OtherFlag, field: func(s *Spec) value { return textOf(&s.Write.Like) }},
	{name: "undoable", kind: OtherFlag, field: func(s *Spec) value { return notOf(&s.Write.NoUndo) }},
	{name: "undo-recipient", kind: OtherFlag, field: func(s *Spec) value { return listOf(&s.Write.UndoRecipients) }},
}

// given returns the flags of s that have other values than their defaults, but for the
// mapping, of which a run keeps a copy.
func (s *Spec) given() map[string][]string {
	given := map[string][]string{}
	for i := range flags {
		f := &flags[i]
		if texts := f.field(s).texts(); len(texts) > 0 && f.name != "mapping" {
			given[f.name] = texts
		}
	}
	return given
}

// SetFlag sets the field of s that the flag called name stands for, from the texts of
// its values, and reports whether there is one.
func (s *Spec) SetFlag(name string, texts []string) (known bool, err error) {
	i := slices.IndexFunc(flags, func(f flag) bool { return f.name == name })
	if i < 0 {
		return false, nil
	}
	if err := flags[i].field(s).set(texts); err != nil {
		return true, fmt.Errorf("--%s of the run: %w", name, err)
	}
	return true, nil
}

// setRecorded sets the flags that an earlier run was given, but for those that skip
// names.
func (s *Spec) setRecorded(given map[string][]string, skip func(f *flag) bool) error {
	for name, texts := range given {
		i := slices.IndexFunc(flags, func(f flag) bool { return f.name == name })
		switch {
		case i < 0 && slices.Contains(runs.WatchFlags, name):
			continue
		case i < 0:
			return fmt.Errorf("the run was given --%s, which this version does not know", name)
		case skip(&flags[i]):
			continue
		}
		if _, err := s.SetFlag(name, texts); err != nil {
			return err
		}
	}
	return nil
}

// Args returns the flags of some kinds that have other values than their defaults, as
// arguments of a command.
func (s *Spec) Args(kinds ...FlagKind) (args []string) {
	for _, kind := range kinds {
		for i := range flags {
			if f := &flags[i]; f.kind == kind {
				args = append(args, f.args(s)...)
			}
		}
	}
	return args
}

func (f *flag) args(s *Spec) (args []string) {
	name := f.short
	if name == "" {
		name = "--" + f.name
	}
	v := f.field(s)
	for _, text := range v.texts() {
		if _, isBool := v.(boolValue); isBool {
			return []string{name}
		}
		args = append(args, name, text)
	}
	return args
}

type (
	textValue     struct{ p *string }
	boolValue     struct{ p *bool }
	notValue      struct{ p *bool } // of a field that is the opposite of its flag
	listValue     struct{ p *[]string }
	intValue      struct{ p *int }
	floatValue    struct{ p *float64 }
	durationValue struct {
		p    *time.Duration
		none time.Duration
	}
)

func textOf(p *string) value   { return textValue{p} }
func boolOf(p *bool) value     { return boolValue{p} }
func notOf(p *bool) value      { return notValue{p} }
func listOf(p *[]string) value { return listValue{p} }
func intOf(p *int) value       { return intValue{p} }
func floatOf(p *float64) value { return floatValue{p} }
func durationOf(p *time.Duration, none time.Duration) value {
	return durationValue{p, none}
}

func (v textValue) texts() []string { return unless(*v.p == "", *v.p) }
func (v boolValue) texts() []string { return unless(!*v.p, "true") }
func (v notValue) texts() []string  { return unless(!*v.p, "false") }
func (v listValue) texts() []string { return *v.p }
func (v intValue) texts() []string  { return unless(*v.p == 0, strconv.Itoa(*v.p)) }
func (v floatValue) texts() []string {
	return unless(*v.p == 0, strconv.FormatFloat(*v.p, 'g', -1, 64))
}
func (v durationValue) texts() []string { return unless(*v.p == v.none, v.p.String()) }

func unless(unset bool, text string) []string {
	if unset {
		return nil
	}
	return []string{text}
}

func (v textValue) set(texts []string) error  { return parse(v.p, texts, asText) }
func (v boolValue) set(texts []string) error  { return parse(v.p, texts, strconv.ParseBool) }
func (v notValue) set(texts []string) error   { return parse(v.p, texts, parseNot) }
func (v intValue) set(texts []string) error   { return parse(v.p, texts, strconv.Atoi) }
func (v floatValue) set(texts []string) error { return parse(v.p, texts, parseFloat) }
func (v durationValue) set(texts []string) error {
	return parse(v.p, texts, time.ParseDuration)
}

func (v listValue) set(texts []string) error {
	*v.p = slices.Clone(texts)
	return nil
}

func asText(text string) (string, error)      { return text, nil }
func parseFloat(text string) (float64, error) { return strconv.ParseFloat(text, 64) }
func parseNot(text string) (not bool, err error) {
	is, err := strconv.ParseBool(text)
	return !is, err
}

// parse sets p to the one text that there has to be.
func parse[T any](p *T, texts []string, read func(string) (T, error)) error {
	if len(texts) != 1 {
		return fmt.Errorf("%d values instead of one", len(texts))
	}
	v, err := read(texts[0])
	if err != nil {
		return fmt.Errorf("%q cannot be read", texts[0])
	}
	*p = v
	return nil
}
