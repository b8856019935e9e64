package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/run"
	"flytt/internal/text"
)

// watchFlags are the flags that say what is told of a run.
type watchFlags struct {
	json       bool
	quiet      bool
	verbose    bool
	logFormat  string
	noProgress bool
}

func (w *watchFlags) add(c *cobra.Command) {
	s := c.Flags()
	s.BoolVar(&w.json, "json", false, "print the summary as one JSON object")
	s.BoolVarP(&w.quiet, "quiet", "q", false, "print only errors")
	s.BoolVarP(&w.verbose, "verbose", "v", false, "log what is being done")
	s.StringVar(&w.logFormat, "log-format", "text", "`FORMAT` of log lines: text or json")
	s.BoolVar(&w.noProgress, "no-progress", false, "show no progress bar")
}

func (w *watchFlags) check() error {
	if f := w.logFormat; f != "text" && f != "json" {
		return usagef("use text or json", "unknown log format %q", f)
	}
	return nil
}

// watcher tells a person at the terminal of a run.
type watcher struct {
	app    *app
	flags  *watchFlags
	screen screen    // stderr, for the log and the bar
	bar    *bar      // of the pass; nil: nothing is shown yet
	told   time.Time // when a line last said how far the pass has come
}

// observer returns the watcher as a run calls it.
func (w *watcher) observer() run.Observer {
	o := run.Observer{Command: w.app.words, Path: shorten, Log: w.logHandler()}
	if !w.flags.quiet && !w.flags.json {
		o.Note = w.note
	}
	if w.app.canAsk() {
		o.Ask = func(q run.Question) (bool, error) { return w.app.ask(questionText(&q)) }
	}
	switch {
	case w.flags.quiet:
	case isTerminal(w.app.stderr) && !w.flags.noProgress:
		o.Progress = w.showBar
	default:
		o.LogEvery = logEvery
		if !w.flags.json {
			o.Progress = w.showLine
		}
	}
	return o
}

func (w *watcher) logHandler() slog.Handler {
	o := &slog.HandlerOptions{Level: slog.LevelWarn}
	if w.flags.verbose {
		o.Level = slog.LevelDebug
	}
	if w.flags.logFormat == "json" {
		return slog.NewJSONHandler(&w.screen, o)
	}
	return &lineHandler{w: &w.screen, level: o.Level}
}

// note tells of what may be remarkable while a run goes on.
func (w *watcher) note(n run.Note) {
	a := w.app
	switch n := n.(type) {
	case run.MappingGuessed:
		a.say("mapping guessed from the headers:\n\n%s\n", indent(string(n.Mapping)))
		for _, g := range n.Guesses {
			if !g.Used {
				a.say("note: column %s is not used: %s\n", g.Column, g.Reason)
			}
		}
	case run.InputOpened:
		a.say("%s: %s\n", n.File, describe(n.Info))
	case run.DoubtsLookedUp:
		a.say("%s rows are in doubt: waiting %s until the API can no longer be working on them, then looking them up\n",
			text.Number(n.Rows), n.Settle.Round(time.Millisecond))
	case run.Remark:
		a.say("note: %s\n", string(n))
	}
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n  ") + "\n"
}

// questionText is what is asked before rows are written.
func questionText(q *run.Question) string {
	place := fmt.Sprintf("tenant %s at %s", q.Tenant, q.Host)
	switch {
	case q.Verb == "undo":
		return fmt.Sprintf("Undo what %s wrote to %s?", filepath.Base(q.Run), place)
	case q.Verb == "apply" && q.Plan != nil:
		return fmt.Sprintf("Create %s and change %s at %s?", text.Counted(q.Plan.Create, "record"), text.Number(q.Plan.Update), place)
	case q.Verb == "apply":
		return fmt.Sprintf("Do what the plan of %s says at %s?", filepath.Base(q.Run), place)
	case q.Changes:
		return fmt.Sprintf("Change the records of %s at %s?", q.File, place)
	}
	return fmt.Sprintf("Write the valid rows of %s to %s?", q.File, place)
}

type runFunc func(context.Context, run.Spec, run.Observer) (*run.Result, error)

// do does the run of spec, with the settings that it names, and tells the user how it
// ended.
func (a *app) do(ctx context.Context, f runFunc, spec run.Spec, flags *watchFlags) error {
	if err := flags.check(); err != nil {
		return err
	}
	if err := a.complete(&spec); err != nil {
		return err
	}
	w := &watcher{app: a, flags: flags, screen: screen{w: a.stderr}}
	o := w.observer()
	ctx, i := a.interrupts(ctx, drainingText)
	defer func() { i.stop() }()
	o.Drain, o.Started = i.gate, i.begin
	result, err := f(ctx, spec, o)
	if result == nil {
		return err
	}
	return w.show(result, err)
}

// about does the run of the verb c that is about the one in the directory path, as that was
// asked to do, and as flags that were given to c say.
func (a *app) about(c *cobra.Command, f runFunc, path string, flags *specFlags) error {
	store, err := a.store()
	if err != nil {
		return err
	}
	spec, err := run.SpecOf(store, c.Name(), path)
	if err != nil {
		return thenSame(err)
	}
	if err := flags.over(&spec, c); err != nil {
		return err
	}
	return thenSame(a.do(c.Context(), f, spec, &flags.watch))
}

// complete fills in what spec has of its surroundings.
func (a *app) complete(spec *run.Spec) (err error) {
	s, err := loadSettings(spec.Profile)
	if err != nil {
		return err
	}
	spec.Settings, spec.Version, spec.Stdin, spec.Stdout = *s, buildVersion(), a.stdin, a.stdout
	if spec.Store == nil {
		spec.Store, err = a.store()
	}
	return err
}

// show prints the summary on stdout, or on stderr where stdout carries the rows,
// and the error and the next command on stderr. A reader of stdout that went away is
// told of, and no failure of the run.
func (w *watcher) show(r *run.Result, failed error) error {
	a, s := w.app, r.Summary
	err := w.print(r)
	if err != nil {
		state := "complete"
		if s.Error != nil {
			state = "over"
		}
		a.say("\nflytt: %v; the run is %s, and its summary is %s\n", err, state, shorten(filepath.Join(r.Dir, "summary.json")))
	}
	switch {
	case s.Error != nil:
		a.say("\n")
		a.tell(s.Error.Message, s.Error.Hint)
	case failed != nil: // once the summary was written
		a.explain(failed)
	}
	if !r.Next.Command.IsZero() && (s.Error != nil || !w.flags.quiet && !w.flags.json) {
		a.sayNext(r.Next)
	}
	if err != nil && !readerGone(err) {
		failed = &shownError{err, exitFatal}
		a.code = exitFatal
		return failed
	}
	a.code = s.Exit
	if s.Error == nil && failed != nil {
		a.code = exitFatal
	}
	if failed != nil {
		return &shownError{failed, a.code}
	}
	return nil
}

// print prints the summary, unless nothing is to be said.
func (w *watcher) print(r *run.Result) error {
	switch {
	case w.flags.json:
		data, err := r.Summary.JSON()
		return printBytes(w.app.stdout, data, err)
	case w.flags.quiet:
		return nil
	case r.Output == "-":
		_ = r.Summary.Print(w.app.stderr, text.Meaning) // nothing can be done about it
		return nil
	}
	return stdoutError(r.Summary.Print(w.app.stdout, text.Meaning))
}
