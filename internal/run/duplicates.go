package run

import (
	"context"
	"errors"
	"fmt"

	"flytt/internal/advice"
	"flytt/internal/dedup"
	"flytt/mappings"
	"flytt/pipeline"
)

// policyHint says how --duplicates is given.
const policyHint = "--duplicates reject, first, last or allow for everything, or for each: --duplicates key=first,ssn=reject,email=allow"

// duplicates is the search for rows of a file that are about the same record.
type duplicates struct {
	policies dedup.Policies
	reader   *mappings.MatchReader // of the rows as they are sent
	table    *dedup.Table          // nil: nothing was looked for
}

// parseDuplicates reads what is done about rows that are alike.
func parseDuplicates(text string) (*duplicates, error) {
	unset := dedup.Policies{mappings.MatchKey: dedup.Reject, mappings.MatchSSN: dedup.Allow, mappings.MatchOrgNo: dedup.Allow, mappings.MatchEmail: dedup.Allow}
	policies, err := dedup.ParsePolicies(text, mappings.MatchFieldNames(), unset)
	if err != nil {
		return nil, advice.Usage(fmt.Errorf("--duplicates %w", err), policyHint)
	}
	return &duplicates{policies: policies}, nil
}

// findDuplicates reads the input once, before anything is sent, and finds rows
// that are alike.
func (f *fileRows) findDuplicates(ctx context.Context) (err error) {
	d, s := f.duplicates, f.session
	if d == nil {
		return nil
	}
	only := f.binding.mapping.MatchFieldsOnly(f.binding.resource)
	if only == nil {
		return nil
	}
	if err := dedup.RemoveLeftovers(s.dir.Path); err != nil {
		return err
	}
	search := dedup.NewSearch(s.dir.Path)
	defer func() { err = errors.Join(err, search.Close()) }()
	if err := f.collect(ctx, only, search); err != nil {
		return err
	}
	if d.table, err = search.Table(); err != nil {
		return err
	}
	s.closers.add(d.table.Close)
	d.reader = f.binding.plan.MatchReader(f.binding.resource, f.change.byRecord())
	s.log.Debug("duplicates searched", "rows", d.table.Len())
	return f.reopen()
}

// collect runs over the input and gives search what rows are compared by: of all
// rows, or, where a policy picks one of several, of those that pass every rule.
func (f *fileRows) collect(ctx context.Context, only *mappings.Mapping, search *dedup.Search) (err error) {
	plan, steps, valid := f.binding.plan, f.steps, f.duplicates.policies.PickOne()
	if !valid {
		o := f.binding.compileOptions(f.session.clock)
		o.Partial = true
		if plan, err = only.Compile(f.binding.resource, f.input.source.Columns(), o); err != nil {
			return err
		}
		steps = func() (steps []pipeline.Step) {
			if f.retry != nil {
				steps = append(steps, f.retry.Step())
			}
			return append(steps, plan.Step())
		}
		selectColumns(f.input.source, plan)
	}
	run := pipeline.Run{
		Source: f.input.source, Schema: plan.Schema(),
		Steps: func() []pipeline.Step {
			return append(steps(), search.Step(plan.MatchReader(f.binding.resource, f.change.byRecord()), valid))
		},
	}
	_, err = run.Do(ctx)
	return err
}

// step returns the step that does what the policies say; nil if there is nothing
// to do.
func (d *duplicates) step(columns []int16) pipeline.Step {
	if d == nil || d.table == nil || d.table.Len() == 0 {
		return nil
	}
	return d.table.Step(d.reader, d.policies, columns)
}

// shared reports whether the key of a row is that of other rows, too, which are
// sent all the same. It cannot be looked up then.
func (d *duplicates) shared(row int64) bool {
	if d.table == nil || d.policies[mappings.MatchKey] != dedup.Allow {
		return false
	}
	shared, err := d.table.Has(row, uint8(mappings.MatchKey))
	return shared || err != nil
}
