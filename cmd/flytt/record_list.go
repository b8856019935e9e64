package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/spf13/cobra"

	"flytt/internal/advice"
	"flytt/internal/api/list"
	"flytt/internal/record"
	"flytt/internal/run"
	"flytt/pipeline"
)

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
