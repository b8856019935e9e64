package main

import (
	"context"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"flytt/internal/jsonscan"
	"flytt/internal/text"
	"flytt/mappings"
)

func recordGetCommand(a *app) *cobra.Command {
	v := &recordVerb{app: a}
	c := &cobra.Command{
		Use:     "get ID",
		Short:   "Print one record",
		Example: `  flytt record get 0d9c3f5e-0000-4000-8000-000000000001 --sandbox`,
		Args:    oneID,
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

// members is a choice among the members of an object; nil: all.
type members struct {
	only  []string // in this order; empty: all
	never map[string]bool
}

// chooseMembers reads --select.
func chooseMembers(r *mappings.Resource, text string) (*members, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	m := &members{never: map[string]bool{}}
	for term := range strings.SplitSeq(text, ",") {
		name, minus := strings.CutPrefix(strings.TrimSpace(term), "-")
		f := r.Field(name)
		if f == nil {
			return nil, unknownField(r, "--select", name)
		}
		if minus {
			m.never[f.Name] = true
		} else {
			m.only = append(m.only, f.Name)
		}
	}
	return m, nil
}

// unknownField says that the user named a field that there is not.
func unknownField(r *mappings.Resource, place, name string) error {
	hint := text.DidYouMean(name, r.Columns(), "flytt schema "+r.Name+" lists the fields")
	return usagef(hint, "%s: unknown field %s", place, name)
}

// append appends the chosen members of object, as an object.
func (m *members) append(dst []byte, object jsontext.Value) []byte {
	if m == nil {
		return append(dst, object...)
	}
	dst = append(dst, '{')
	start := len(dst)
	add := func(name []byte, value jsontext.Value) {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), name...), `":`...)
		dst = append(dst, value...)
	}
	for _, name := range m.only {
		if value := jsonscan.Member(object, name); value != nil && !m.never[name] {
			add([]byte(name), value)
		}
	}
	if m.only == nil {
		for name, value := range jsonscan.Members(object) {
			if !m.never[string(jsonscan.Unquote(name))] {
				add(name, value)
			}
		}
	}
	return append(dst, '}')
}
