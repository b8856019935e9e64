package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/advice"
	"flytt/internal/api"
	"flytt/internal/osfile"
	"flytt/internal/record"
	"flytt/internal/text"
)

// writeFlags are the flags of record create and update: where the fields come
// from.
type writeFlags struct {
	set  []string
	file string
}

func (f *writeFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.set, "set", nil, "`FIELD=VALUE`, FIELD= for null, FIELD:=JSON (repeatable; comes over the file)")
	c.Flags().StringVarP(&f.file, "file", "f", "", "`FILE` with a JSON object of fields; - is standard input")
}

func recordCreateCommand(a *app) *cobra.Command {
	v := &recordVerb{app: a}
	var f writeFlags
	c := &cobra.Command{
		Use:   "create",
		Short: "Create a record",
		Long: `create makes a record of the fields given with --set and -f, and prints it as the
API answers it. The fields are held against the rules of the resource first. A
create whose answer is lost is never repeated: it may have been done.`,
		Example: `  flytt record create --set name='Åsa Öberg' --set title=VD --set external_client.id=6f9a3c1e-0000-4000-8000-000000000001 --sandbox
  flytt record create -f contact.json --set custom_id=A-1`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			var r *record.Draft
			prepare := func() (err error) {
				r, err = v.build(&f, "")
				return err
			}
			return v.do(c.Context(), prepare, func(ctx context.Context) error { return v.create(ctx, r) })
		},
	}
	v.addFlags(c)
	v.addFormFlags(c)
	f.add(c)
	return c
}

func recordUpdateCommand(a *app) *cobra.Command {
	v := &recordVerb{app: a}
	var f writeFlags
	c := &cobra.Command{
		Use:   "update ID",
		Short: "Change fields of a record",
		Long: `update changes the fields given with --set and -f, and no others, and prints the
record as the API answers it. --set FIELD= sets a field to null. If the answer is
lost, the record is read back to see whether it was changed.`,
		Example: `  flytt record update 0d9c3f5e-0000-4000-8000-000000000001 --set title=VD --set email=
  flytt record get ID > contact.json; flytt record update ID -f contact.json`,
		Args: idArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			var r *record.Draft
			prepare := func() (err error) {
				if err = v.idOK(args[0])(); err == nil {
					r, err = v.build(&f, args[0])
				}
				return err
			}
			return v.do(c.Context(), prepare, func(ctx context.Context) error { return v.update(ctx, args[0], r) })
		},
	}
	v.addFlags(c)
	v.addFormFlags(c)
	f.add(c)
	return c
}

func recordDeleteCommand(a *app) *cobra.Command {
	v := &recordVerb{app: a}
	c := &cobra.Command{
		Use:   "delete ID",
		Short: "Delete a record",
		Long: `delete deletes a record, which cannot be taken back. It asks first, unless --yes
is given or the API is on this machine; where there is nobody to ask, it refuses.`,
		Example: `  flytt record delete 0d9c3f5e-0000-4000-8000-000000000001`,
		Args:    idArgument.needed,
		RunE: func(c *cobra.Command, args []string) error {
			return v.do(c.Context(), v.idOK(args[0]), func(ctx context.Context) error { return v.remove(ctx, args[0]) })
		},
	}
	v.addFlags(c)
	addYes(c, &v.place)
	return c
}

// idOK returns a check of an id, before anything is connected to.
func (v *recordVerb) idOK(id string) func() error {
	return func() error {
		if err := api.CheckID(id); err != nil {
			return usage(err, "the API's own id of a record, as flytt record list shows it")
		}
		return nil
	}
}

// build makes the record of the flags and holds it against the rules. ID is that
// of the record to change; "" makes a new one.
func (v *recordVerb) build(f *writeFlags, id string) (*record.Draft, error) {
	r := record.NewDraft(v.resource)
	if f.file != "" {
		if err := v.readFile(r, f.file, id); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	for _, text := range f.set {
		name, _, _ := strings.Cut(text, "=")
		if name = strings.TrimSuffix(name, ":"); seen[name] {
			return nil, usagef("a field has one value", "--set %s appears twice", name)
		}
		seen[name] = true
		if err := r.Assign(text); err != nil {
			return nil, err
		}
	}
	if r.Empty() {
		return nil, usagef(record.AssignForm+", or -f FILE", "no field is given")
	}
	if err := r.Validate(id != "", time.Now()); err != nil {
		return nil, err
	}
	if len(r.Faults()) > 0 {
		return nil, v.tellFaults(r)
	}
	return r, nil
}

// readFile reads -f. An id in it has to be that of the record that is changed.
func (v *recordVerb) readFile(r *record.Draft, name, id string) (err error) {
	in, err := v.openRecord(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	place := name
	if name == "-" {
		place = "standard input"
	}
	if err := r.Read(place, in); err != nil {
		return err
	}
	if own := r.ID(); own != "" && !strings.EqualFold(own, id) {
		return usagef("flytt record update changes a record; take id out of the object to make a new one", "%s: it is another record, by its id", place)
	}
	if left := r.LeftOut(); len(left) > 0 {
		v.app.say("note: left out, because only the API writes them: %s\n", strings.Join(left, ", "))
	}
	return nil
}

func (v *recordVerb) create(ctx context.Context, d *record.Draft) error {
	result, err := record.Create(ctx, v.client, v.resource.Path, d)
	if doubt, ok := errors.AsType[*record.DoubtError](err); ok {
		return v.doubt(ctx, fmt.Sprintf("create: whether the record was made is not known: %v", doubt.Lost),
			"look whether it is there before you create it again: the newest records are listed by", newest(v.resource)...)
	}
	if err != nil {
		return v.failedTo(ctx, "create", err, d)
	}
	return v.written(result)
}

// doubt says that nobody knows what a write did.
func (v *recordVerb) doubt(ctx context.Context, message, hint string, next ...string) error {
	code := exitUncertain
	if ctx.Err() != nil {
		code = exitInterrupted
	}
	return v.give(advice.Usage(errors.New(message), hint), code, next...)
}

func (v *recordVerb) update(ctx context.Context, id string, d *record.Draft) error {
	result, err := record.Update(ctx, v.client, v.resource.Path, id, d)
	doubt, inDoubt := errors.AsType[*record.DoubtError](err)
	switch {
	case inDoubt && doubt.Seen:
		return v.doubt(ctx, fmt.Sprintf("update %s: the answer was lost (%v), and the record does not hold what was sent", id, doubt.Lost),
			"the change may still come; look again before you repeat it", "record", "get", id)
	case inDoubt:
		return v.doubt(ctx, fmt.Sprintf("update %s: whether it was changed is not known: %v; and the record could not be read back", id, doubt.Lost),
			"look at it before you repeat the change", "record", "get", id)
	case err != nil:
		return v.failedTo(ctx, "update "+id, err, d)
	case result.Unread != nil:
		v.app.say("note: the record was changed, and cannot be shown: %v\n", result.Unread)
		return nil
	case result.Lost != nil:
		v.app.say("note: the answer was lost (%v); the record holds what was sent\n", result.Lost)
	}
	return v.written(result)
}

// written prints the record that was written and says where it differs from what was sent.
func (v *recordVerb) written(r *record.Result) error {
	if r.Object == nil {
		v.app.say("note: the API answered with success and shows no record\n")
		return nil
	}
	if len(r.Different) > 0 {
		v.app.say("note: the API shows another value than was sent in: %s\n", strings.Join(r.Different, ", "))
	}
	return v.printObject(r.Object)
}

// remove deletes a record, if that is agreed to.
func (v *recordVerb) remove(ctx context.Context, id string) error {
	if err := v.consent(id); err != nil {
		return err
	}
	result, err := record.Delete(ctx, v.client, v.resource.Path, id)
	if doubt, ok := errors.AsType[*record.DoubtError](err); ok {
		what := "whether it was deleted is not known"
		if doubt.Seen {
			what = "it is still there, and may go yet"
		}
		return v.doubt(ctx, fmt.Sprintf("delete %s: the answer was lost (%v); %s", id, doubt.Lost, what), "look again before you repeat it", "record", "get", id)
	}
	switch {
	case err != nil:
		return v.failedTo(ctx, "delete "+id, err, nil)
	case result.Lost != nil:
		v.app.say("deleted %s: the answer was lost (%v), and the record is gone\n", id, result.Lost)
	default:
		v.app.say("deleted %s\n", id)
	}
	return nil
}

// consent asks before a record is deleted. Where nobody can be asked, it is not,
// except on this machine.
func (v *recordVerb) consent(id string) error {
	switch {
	case v.place.Yes || v.client.Loopback():
		return nil
	case !v.app.canAsk():
		return usagef("--yes deletes without asking", "delete %s: nobody can be asked", id)
	}
	question := fmt.Sprintf("Delete %s %s of tenant %s at %s?", v.resource.Name, id, v.conn.Customer, v.client.Host())
	return v.app.agreed(question, "deleted", "--yes deletes without asking")
}

// openRecord returns the file that -f names.
func (v *recordVerb) openRecord(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(v.app.stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", name, osfile.Cause(err)), "-f names a file with one JSON object; - is standard input")
	}
	return f, nil
}

// tellFaults lists what is wrong with r.
func (v *recordVerb) tellFaults(r *record.Draft) error {
	faults := r.Faults()
	v.app.say("flytt: the record breaks the rules; nothing was sent (%s)\n", text.Counted(len(faults), "fault"))
	fields, kinds := 0, 0
	for _, f := range faults {
		fields, kinds = max(fields, len(f.Field)), max(kinds, len(f.Code))
	}
	for _, f := range faults {
		reason := text.ReasonOf(f.Code)
		v.app.say("  %-*s  %-*s  %s\n  %*s  %s\n", fields, f.Field, kinds, f.Code, reason.Meaning, fields, "", cmp.Or(f.Fix, reason.Fix))
	}
	v.app.sayCommand("", advice.Join([]string{"flytt", "schema", v.resource.Name}))
	return &shownError{errors.New("the record breaks the rules"), exitRejects}
}
