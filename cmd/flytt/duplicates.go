package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"flytt/internal/dedup"
	"flytt/mappings"
	"flytt/pipeline"
)

// policyHint says how --duplicates is given.
const policyHint = "--duplicates reject, first, last or allow for everything, or for each: --duplicates key=first,ssn=reject,email=allow"

// duplicates is the search for rows of a file that are about the same record.
type duplicates struct {
	text     string // of the flag
	policies dedup.Policies

	reader *mappings.MatchReader // of the rows as they are sent
	table  *dedup.Table
}

func (d *duplicates) addFlag(c *cobra.Command) {
	c.Flags().StringVar(&d.text, "duplicates", "", "`POLICY` for rows of the file that are alike: reject all of them, let the first or the last through, or allow them with a warning; for all of key, ssn, org_no and email, or as key=first,email=allow (default: key=reject, the others allow)")
}

// parse reads the flag.
func (d *duplicates) parse() (err error) {
	if d == nil {
		return nil
	}
	unset := dedup.Policies{mappings.MatchKey: dedup.Reject, mappings.MatchSSN: dedup.Allow, mappings.MatchOrgNo: dedup.Allow, mappings.MatchEmail: dedup.Allow}
	if d.policies, err = dedup.ParsePolicies(d.text, mappings.MatchFieldNames(), unset); err != nil {
		return usage(fmt.Errorf("--duplicates %w", err), policyHint)
	}
	return nil
}

// findDuplicates reads the input once, before anything is sent, and finds rows
// that are alike.
func (j *job) findDuplicates(ctx context.Context) (err error) {
	d := j.duplicates
	only := j.identityMapping()
	if d == nil || only == nil {
		return nil
	}
	if err := dedup.RemoveLeftovers(j.dir.Path); err != nil {
		return err
	}
	search := dedup.NewSearch(j.dir.Path)
	defer func() { err = errors.Join(err, search.Close()) }()
	if err := j.collect(ctx, only, search); err != nil {
		return err
	}
	if d.table, err = search.Table(); err != nil {
		return err
	}
	j.closers = append(j.closers, d.table.Close)
	d.reader = j.plan.MatchReader(j.resource, j.change.byRecord())
	j.log.Debug("duplicates searched", "rows", d.table.Len())
	return j.reopen()
}

// identityMapping returns the mapping of what rows are compared by; nil if that is
// nothing.
func (j *job) identityMapping() *mappings.Mapping {
	if j.duplicates == nil || j.mapping == nil {
		return nil
	}
	return j.mapping.MatchFieldsOnly(j.resource)
}

// collect runs over the input and gives search what rows are compared by: of all
// rows, or, where a policy picks one of several, of those that pass every rule.
func (j *job) collect(ctx context.Context, only *mappings.Mapping, search *dedup.Search) error {
	plan, steps, valid := j.plan, j.steps, j.duplicates.policies.PickOne()
	if !valid {
		var err error
		if plan, err = j.compileIdentity(only); err != nil {
			return err
		}
		steps = func() []pipeline.Step {
			if j.first != nil {
				return []pipeline.Step{j.first, plan.Step()}
			}
			return []pipeline.Step{plan.Step()}
		}
		if s, ok := j.source.(pipeline.ColumnSelector); ok {
			s.Select(plan.UsedColumns())
		}
	}
	run := pipeline.Run{
		Source: j.source, Schema: plan.Schema(),
		Steps: func() []pipeline.Step {
			return append(steps(), search.Step(plan.MatchReader(j.resource, j.change.byRecord()), valid))
		},
	}
	_, err := run.Do(ctx)
	return err
}

// compileIdentity binds the mapping of what rows are compared by.
func (j *job) compileIdentity(only *mappings.Mapping) (*mappings.Plan, error) {
	o := j.compileOptions()
	o.Partial = true
	return only.Compile(j.resource, j.source.Columns(), o)
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
	if d == nil || d.table == nil || d.policies[mappings.MatchKey] != dedup.Allow {
		return false
	}
	shared, err := d.table.Has(row, uint8(mappings.MatchKey))
	return shared || err != nil
}
