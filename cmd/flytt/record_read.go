package main

import (
	"context"

	"github.com/spf13/cobra"
)

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
