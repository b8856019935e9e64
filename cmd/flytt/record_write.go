package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
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
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var r *record
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
		Args: oneID,
		RunE: func(c *cobra.Command, args []string) error {
			var r *record
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
		Args:    oneID,
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
func (v *recordVerb) build(f *writeFlags, id string) (*record, error) {
	r := newRecord(v.resource)
	if f.file != "" {
		if err := v.readFile(r, f.file, id); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	for _, text := range f.set {
		name, _, _ := strings.Cut(text, "=")
		if name = strings.TrimSuffix(name, ":"); seen[name] {
			return nil, usagef("a field has one value", "--set %s stands twice", name)
		}
		seen[name] = true
		if err := r.assign(text); err != nil {
			return nil, err
		}
	}
	if len(r.values) == 0 && len(r.faults) == 0 {
		return nil, usagef(setForm+", or -f FILE", "no field is given")
	}
	if err := r.validate(id != ""); err != nil {
		return nil, err
	}
	if len(r.faults) > 0 {
		return nil, v.tellFaults(r)
	}
	return r, nil
}

// readFile reads -f. An id in it has to be that of the record that is changed.
func (v *recordVerb) readFile(r *record, name, id string) (err error) {
	in, err := v.openRecord(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	place := name
	if name == "-" {
		place = "standard input"
	}
	if err := r.read(place, in); err != nil {
		return err
	}
	if own := r.id; own != "" && !strings.EqualFold(own, id) {
		return usagef("flytt record update changes a record; take id out of the object to make a new one", "%s: it is another record, by its id", place)
	}
	if len(r.notes) > 0 {
		v.say("note: left out, because only the API writes them: %s\n", strings.Join(r.notes, ", "))
	}
	return nil
}

func (v *recordVerb) create(ctx context.Context, r *record) error {
	sent := r.json()
	o := v.client.Create(ctx, v.resource.Path, sent, nil)
	err := o.Problem(http.MethodPost, v.resource.Path, sent)
	switch {
	case err == nil:
		return v.answered(o.Body, r)
	case errors.Is(err, api.ErrInDoubt):
		return v.doubt(ctx, fmt.Sprintf("create: whether the record was made is not known: %v", o.Err),
			"look whether it is there before you create it again: the newest records are listed by", newest(v.resource)...)
	}
	return v.failedTo(ctx, "create", err, r)
}

// doubt says that nobody knows what a write did.
func (v *recordVerb) doubt(ctx context.Context, message, hint string, next ...string) error {
	code := exitUncertain
	if ctx.Err() != nil {
		code = exitInterrupted
	}
	return v.give(hinted(message, hint), code, next...)
}

func (v *recordVerb) update(ctx context.Context, id string, r *record) error {
	sent := r.json()
	o := v.client.Update(ctx, v.resource.Path, id, sent, nil)
	err := o.Problem(http.MethodPatch, v.resource.Path, sent)
	switch {
	case err == nil && isObject(o.Body):
		return v.answered(o.Body, r)
	case err == nil || errors.Is(err, api.ErrInDoubt):
		return v.readBack(ctx, id, o, r)
	}
	return v.failedTo(ctx, "update "+id, err, r)
}

func isObject(body []byte) bool {
	v := jsontext.Value(body)
	return v.Kind() == '{' && v.IsValid()
}

// readBack looks at a record to see whether it was changed, after an answer that
// did not show it.
func (v *recordVerb) readBack(ctx context.Context, id string, o api.Outcome, r *record) error {
	got, err := v.client.Get(ctx, v.resource.Path, id, nil)
	switch {
	case o.OK() && err != nil:
		v.say("note: the record was changed, and cannot be shown: %v\n", err)
		return nil
	case o.OK():
		return v.answered(got.Body, r)
	case err != nil:
		return v.doubt(ctx, fmt.Sprintf("update %s: whether it was changed is not known: %v; and the record could not be read back", id, o.Err),
			"look at it before you repeat the change", "record", "get", id)
	case !api.Same(r.json(), got.Body):
		return v.doubt(ctx, fmt.Sprintf("update %s: the answer was lost (%v), and the record does not hold what was sent", id, o.Err),
			"the change may still come; look again before you repeat it", "record", "get", id)
	}
	v.say("note: the answer was lost (%v); the record holds what was sent\n", o.Err)
	return v.answered(got.Body, r)
}

// answered prints the record of an answer and says where it differs from what
// was sent.
func (v *recordVerb) answered(body []byte, r *record) error {
	if !isObject(body) {
		v.say("note: the API answered with success and shows no record\n")
		return nil
	}
	var other []string
	patch, _ := api.Changes(nil, r.json(), body)
	for name := range jsonscan.Members(patch) {
		other = append(other, string(jsonscan.Unquote(name)))
	}
	if len(other) > 0 {
		v.say("note: the API shows another value than was sent in: %s\n", strings.Join(other, ", "))
	}
	return v.printObject(body)
}

// remove deletes a record, if that is agreed to.
func (v *recordVerb) remove(ctx context.Context, id string) error {
	if err := v.consent(id); err != nil {
		return err
	}
	o := v.client.Delete(ctx, v.resource.Path, id)
	err := o.Problem(http.MethodDelete, v.resource.Path, nil)
	switch {
	case err == nil:
		v.say("deleted %s\n", id)
		return nil
	case errors.Is(err, api.ErrInDoubt):
		return v.lookAfter(ctx, id, o)
	}
	return v.failedTo(ctx, "delete "+id, err, nil)
}

// consent asks before a record is deleted. Where nobody can be asked, it is not,
// except on this machine.
func (v *recordVerb) consent(id string) error {
	switch {
	case v.place.Yes || v.client.Loopback():
		return nil
	case !v.canAsk():
		return usagef("--yes deletes without asking", "delete %s: nobody can be asked", id)
	}
	question := fmt.Sprintf("Delete %s %s of tenant %s at %s?", v.resource.Name, id, v.conn.Customer, v.client.Host())
	return v.agreed(question, "deleted", "--yes deletes without asking")
}

// lookAfter looks whether a record is gone, after the answer to its deletion was
// lost.
func (v *recordVerb) lookAfter(ctx context.Context, id string, o api.Outcome) error {
	_, err := v.client.Get(ctx, v.resource.Path, id, nil)
	if errors.Is(err, api.ErrNotFound) {
		v.say("deleted %s: the answer was lost (%v), and the record is gone\n", id, o.Err)
		return nil
	}
	what := "whether it was deleted is not known"
	if err == nil {
		what = "it is still there, and may go yet"
	}
	return v.doubt(ctx, fmt.Sprintf("delete %s: the answer was lost (%v); %s", id, o.Err, what), "look again before you repeat it", "record", "get", id)
}
