package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"flytt/internal/advice"
	"flytt/internal/api"
	"flytt/internal/api/list"
	"flytt/internal/record"
	"flytt/internal/run"
	"flytt/internal/text"
	"flytt/mappings"
	"flytt/pipeline"
)

func recordCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "record",
		Args:  noArguments,
		Short: "Get, list, create, update and delete single records",
		Long: `record works on single records of the API, JSON in and JSON out. What is written
is checked against the rules of the resource first: a record with faults is not
sent, and every fault is listed.

Exit codes: 0 done; 1 refused by the rules or by the API, or there is no such
record; 2 usage or configuration; 4 credentials, API or network; 5 the answer to
a write was lost, and its effect is not known.`,
		Example: `  flytt record list --where name__icontains=ek --sandbox
  flytt record create --set name='Åsa Öberg' --set title=VD --set external_client.id=6f9a… --sandbox
  flytt record update 0d9c… --set email= --set phone_number=+46701234567 --sandbox`,
	}
	c.AddCommand(recordGetCommand(a), recordListCommand(a), recordCreateCommand(a), recordUpdateCommand(a), recordDeleteCommand(a))
	return c
}

// recordVerb is one run of a verb of record.
type recordVerb struct {
	app          *app
	resourceName string
	profile      string
	place        run.Place
	compact      bool
	pretty       bool
	verbose      bool

	settings *run.Settings
	resource *mappings.Resource
	conn     *run.Connection // once it is open
	client   *api.Client     // of conn
}

// addFlags adds the flags that all verbs of record share.
func (v *recordVerb) addFlags(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&v.resourceName, "resource", "", "`NAME` of the resource (default: the only one there is)")
	s.StringVar(&v.profile, "profile", "", "`NAME` of a profile in flytt.yaml")
	s.BoolVarP(&v.verbose, "verbose", "v", false, "log what is being done")
	addPlace(c, &v.place)
}

// addFormFlags adds the flags that say how an object is printed.
func (v *recordVerb) addFormFlags(c *cobra.Command) {
	c.Flags().BoolVar(&v.compact, "compact", false, "print the object on one line (default: where stdout is no terminal)")
	c.Flags().BoolVar(&v.pretty, "pretty", false, "print the object indented (default: on a terminal)")
	c.MarkFlagsMutuallyExclusive("compact", "pretty")
}

// do runs a verb: reads the settings, lets prepare find out what can be known
// without the API, connects, and lets work speak to it. An interrupt ends work.
func (v *recordVerb) do(ctx context.Context, prepare func() error, work func(context.Context) error) (err error) {
	if v.settings, err = loadSettings(v.profile); err != nil {
		return err
	}
	if v.resource, err = run.ResourceCalled(cmp.Or(v.resourceName, v.settings.Resource)); err != nil {
		return err
	}
	if err := prepare(); err != nil {
		return err
	}
	if err := v.settings.CompleteRequests(0, 0); err != nil {
		return err
	}
	if v.conn, err = run.Connect(v.place, v.settings, run.ConnectOptions{Version: buildVersion(), Log: v.logger()}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.conn.Close()) }()
	v.client = v.conn.Client
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return work(ctx)
}

func (v *recordVerb) logger() *slog.Logger {
	level := slog.LevelWarn
	if v.verbose {
		level = slog.LevelDebug
	}
	return slog.New(&lineHandler{w: v.app.stderr, level: level})
}

// printObject prints a JSON object as the API gave it: indented on a terminal,
// on one line elsewhere, unless the flags say otherwise.
func (v *recordVerb) printObject(object []byte) error {
	text := jsontext.Value(bytes.Clone(object))
	form := text.Compact
	if v.pretty || !v.compact && isTerminal(v.app.stdout) {
		form = func(o ...jsontext.Options) error { return text.Indent(append(o, jsontext.WithIndent("  "))...) }
	}
	if err := form(jsontext.PreserveRawStrings(true)); err != nil {
		return errors.New("the API's answer is not JSON")
	}
	_, err := v.app.stdout.Write(append(text, '\n'))
	return stdoutError(err)
}

// placeFlags are the part of a command line that says where the API is.
func (v *recordVerb) placeFlags() []string {
	only := run.Spec{Profile: v.profile, Place: run.Place{BaseURL: v.place.BaseURL, Sandbox: v.place.Sandbox}}
	return only.Args(run.MeaningFlag, run.TargetFlag)
}

// give tells the user of err and what to run next, and returns an error that
// ends flytt with code. It is for what is known only after the API was asked.
func (v *recordVerb) give(err error, code int, next ...string) error {
	v.app.explain(err)
	v.app.sayCommand("", advice.Join(append(append([]string{"flytt"}, next...), v.placeFlags()...)))
	return &shownError{err, code}
}

// failedTo tells the user why the API did not do act. Sent is the record that was
// sent; nil: there was none. What is in doubt is not for failedTo.
func (v *recordVerb) failedTo(ctx context.Context, act string, err error, sent *record.Draft) error {
	var refused *api.RefusedError
	switch {
	case ctx.Err() != nil:
		return v.give(fmt.Errorf("%s: %w", act, pipeline.ErrInterrupted), exitInterrupted, newest(v.resource)...)
	case errors.Is(err, api.ErrNotFound):
		return v.give(advice.Usagef("give the API's own id; flytt record list --where finds a record by another number", "%s: no such record", act), exitRejects, newest(v.resource)...)
	case errors.As(err, &refused) && sent != nil:
		return v.refused(act, refused, sent)
	}
	hint := cmp.Or(advice.HintOf(err), "flytt doctor looks for the cause")
	return v.give(advice.Usage(fmt.Errorf("%s: %w", act, err), hint), exitFatal, "doctor")
}

// newest are the arguments that list the newest records.
func newest(r *mappings.Resource) []string {
	args := []string{"record", "list", "--limit=5"}
	if field := r.CreatedField(); field != "" {
		args = append(args, "--order-by=-"+field)
	}
	return args
}

func (v *recordVerb) refused(act string, err *api.RefusedError, sent *record.Draft) error {
	v.app.say("flytt: %s: the API refuses the record (%d %s); nothing was changed\n", act, err.Status, http.StatusText(err.Status))
	for _, r := range err.Refusals {
		v.app.say("  %s: %s\n", cmp.Or(text.Printable(r.Field), "(record)"), cmp.Or(sent.Mask(r.Message), "no reason is given"))
	}
	v.app.sayCommand("", advice.Join([]string{"flytt", "schema", v.resource.Name}))
	return &shownError{err, exitRejects}
}

func recordGetCommand(a *app) *cobra.Command {
	v := &recordVerb{app: a}
	c := &cobra.Command{
		Use:     "get ID",
		Short:   "Print one record",
		Example: `  flytt record get 0d9c3f5e-0000-4000-8000-000000000001 --sandbox`,
		Args:    idArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			return v.do(c.Context(), v.idOK(args[0]), func(ctx context.Context) error { return v.get(ctx, args[0]) })
		},
	}
	v.addFlags(c)
	v.addFormFlags(c)
	return c
}

func (v *recordVerb) get(ctx context.Context, id string) error {
	o, err := v.client.Get(ctx, v.resource.Path, id, nil)
	if err != nil {
		return v.failedTo(ctx, "get "+id, err, nil)
	}
	return v.printObject(o.Body)
}

func recordListCommand(a *app) *cobra.Command {
	v := &recordVerb{app: a}
	f := run.Defaults()
	var choose string
	c := &cobra.Command{
		Use:   "list",
		Short: "Print records as JSON Lines",
		Long: `list prints the records that meet every --where, one object per line, as they
come. A filter is field=value (exactly) or field__operator=value; a ! before the
equals sign negates it. flytt schema lists the fields and their operators.
For whole registers, and for other formats, there is flytt export.`,
		Example: `  flytt record list --where name__icontains=ek --where title!=VD --sandbox
  flytt record list --where custom_id__in=A-1,A-2 --select id,name
  flytt record list --order-by=-created_at --limit 5`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			var query *list.Query
			var chosen *record.Selection
			prepare := func() (err error) {
				if chosen, err = record.ParseSelection(v.resource, choose); err != nil {
					return err
				}
				if err := f.List.Check(); err != nil {
					return err
				}
				if err := v.settings.CompleteRequests(f.Write.Concurrency, f.Write.Rate); err != nil {
					return err
				}
				query, err = f.List.Query(v.resource, v.settings)
				return err
			}
			return v.do(c.Context(), prepare, func(ctx context.Context) error { return v.printList(ctx, query, &f.List, chosen) })
		},
	}
	v.addFlags(c)
	addList(c, &f.List, &f.Write)
	c.Flags().StringVar(&choose, "select", "", "`FIELDS` to print, separated by commas; a minus before one leaves it out")
	return c
}

// printList prints the objects of a list as they come.
func (v *recordVerb) printList(ctx context.Context, l *list.Query, f *run.List, chosen *record.Selection) error {
	rows := list.Open(v.client, l, f.Options(v.resource, v.settings))
	err := v.copyRows(ctx, rows, chosen)
	account := rows.Account()
	closeErr := rows.Close()
	switch {
	case errors.Is(err, syscall.EPIPE):
		return nil // whoever read it has seen enough
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("list: %w", pipeline.ErrInterrupted)
	case err != nil:
		return err
	case closeErr != nil:
		return closeErr
	case f.Limit == 0 && !account.Complete:
		return v.give(advice.Usagef("flytt export keeps a record of what was read", "list: it is not proved that every record was printed: %s", account.Doubt), exitUncertain, "record", "list")
	}
	return nil
}

// copyRows prints what rows bring, each object on one line.
func (v *recordVerb) copyRows(ctx context.Context, rows *list.Rows, chosen *record.Selection) error {
	var in, out []byte
	for {
		data, n, err := rows.Next(ctx, in[:0])
		in = data
		if n > 0 {
			out = chosen.AppendLines(out[:0], data)
			if _, err := v.app.stdout.Write(out); err != nil {
				return stdoutError(err)
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}
