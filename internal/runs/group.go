package runs

import (
	"cmp"
	"path/filepath"
	"slices"

	"flytt/internal/advice"
	"flytt/internal/report"
)

// Group is a run and all runs that belong to it, in the order in which they began. The run
// is the first.
type Group []*Record

// Group reads the run at path and those that belong to it.
func (s *Store) Group(path string) (Group, error) {
	first, err := s.ReadNamed(path)
	if err != nil {
		return nil, err
	}
	return s.GroupOf(first)
}

// GroupOf reads the runs that belong to first: those beside it, those in the store, and
// those that its children file names.
func (s *Store) GroupOf(first *Record) (Group, error) {
	others, damaged, err := s.List(filepath.Dir(first.Path), s.dir)
	if err != nil {
		return nil, err
	}
	for _, d := range damaged {
		if r, err := ReadRetry(d.Path); err != nil || r != nil && filepath.Base(r.Run) == first.ID {
			return nil, incomplete("%s, which may belong to %s: %w", advice.Path(d.Path), first.ID, d.Err)
		}
	}
	g, err := s.gatherLinked(first, others, (*Record).belongsTo)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(g[1:], func(a, b *Record) int { return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.ID, b.ID)) })
	return g, nil
}

// readableGroup reads the run at path and those that belong to it, as far as they can
// be read; none if that one cannot.
func (s *Store) readableGroup(path string) Group {
	r, err := s.Read(path)
	if err != nil {
		return nil
	}
	others, _, err := s.List(filepath.Dir(path), s.dir)
	if err != nil {
		return Group{r}
	}
	linked, _ := s.readChildren(path) // those that can be read
	return gather(r, slices.Concat(others, linked), (*Record).belongsTo)
}

// incomplete says that a run of a group cannot be read.
func incomplete(format string, args ...any) error {
	return advice.Usagef("without it the account of the run is incomplete", format, args...)
}

// gather returns first and all of runs that are bound to it, or to one that is.
func gather(first *Record, runs []*Record, bound func(r, to *Record) bool) Group {
	g := Group{first}
	for i := 0; i < len(g); i++ {
		for _, r := range runs {
			if bound(r, g[i]) && !g.has(r.Path) {
				g = append(g, r)
			}
		}
	}
	return g
}

// gatherLinked is gather that also follows the links of each run to its children.
func (s *Store) gatherLinked(first *Record, runs []*Record, bound func(r, to *Record) bool) (Group, error) {
	asked := map[string]bool{}
	for {
		g, more := gather(first, runs, bound), []*Record(nil)
		for _, r := range g {
			if asked[r.Path] {
				continue
			}
			asked[r.Path] = true
			linked, err := s.readChildren(r.Path)
			if err != nil {
				return nil, err
			}
			more = append(more, linked...)
		}
		if len(more) == 0 {
			return g, nil
		}
		runs = slices.Concat(runs, more)
	}
}

func (g Group) has(path string) bool {
	return slices.ContainsFunc(g, func(r *Record) bool { return r.Path == path })
}

// Retries returns the retries of the group.
func (g Group) Retries() []*Record {
	return slices.DeleteFunc(slices.Clone(g[1:]), func(r *Record) bool { return r.retry == nil })
}

// Senders returns the runs of the group that sent rows of its input: the first and its
// retries.
func (g Group) Senders() Group { return append(Group{g[0]}, g.Retries()...) }

// Without returns the runs of the group but for the one at path.
func (g Group) Without(path string) Group {
	return slices.DeleteFunc(slices.Clone(g), func(r *Record) bool { return r.Path == path })
}

// Account adds up what became of the rows.
func (g Group) Account() (*report.Account, error) {
	again, err := g.undoneAgain()
	if err != nil {
		return nil, err
	}
	parts := make([]report.Part, len(g))
	for i, r := range g {
		parts[i] = r.part()
		parts[i].UndoneBefore = again[r.Path]
	}
	return report.NewAccount(parts), nil
}

// LikeRuns returns the run at path, or if it is a retry the run that it belongs to, and all
// retries of that run: the runs that --like uses.
func (s *Store) LikeRuns(path string) (Group, error) {
	if !report.IsRun(path) {
		return nil, advice.Usagef("move the directory back", "%s, which the run has as --like, no longer exists", advice.Path(path))
	}
	path, err := RetryRoot(path)
	if err != nil {
		return nil, err
	}
	g, err := s.Group(path)
	if err != nil {
		return nil, err
	}
	if !g[0].SendsRows() {
		return nil, advice.Usagef("name an import", "--like %s: it is a run of %s, which sent no rows", advice.Path(g[0].Name()), g[0].Verb())
	}
	return g.Senders(), nil
}
