package dedup

import (
	"fmt"
	"slices"
	"strings"

	"flytt/internal/text"
)

// Policy says which of the rows that are alike go through.
type Policy string

// The policies.
const (
	Reject Policy = "reject" // none of them
	First  Policy = "first"  // the first
	Last   Policy = "last"   // the last
	Allow  Policy = "allow"  // all, with a warning
)

// Policies has a policy for each kind of text that rows are compared by.
type Policies []Policy

// ParsePolicies reads one policy for all kinds, or a list such as key=first,email=allow that
// names kinds; the others have theirs from unset.
func ParsePolicies(value string, kinds []string, unset Policies) (Policies, error) {
	policies := slices.Clone(unset)
	if value == "" {
		return policies, nil
	}
	parts := strings.Split(value, ",")
	for _, part := range parts {
		name, word, named := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case !named && len(parts) > 1:
			return nil, fmt.Errorf("%s: name what %s is for", value, name)
		case !named:
			word = name
		}
		policy := Policy(word)
		if !slices.Contains([]Policy{Reject, First, Last, Allow}, policy) {
			return nil, fmt.Errorf("%s: unknown policy %q", value, word)
		}
		if !named {
			return slices.Repeat(Policies{policy}, len(kinds)), nil
		}
		kind := slices.Index(kinds, name)
		if kind < 0 {
			return nil, fmt.Errorf("%s: duplicates are found by %s, not by %s", value, text.AllOf(kinds), name)
		}
		policies[kind] = policy
	}
	return policies, nil
}

// PickOne reports whether a policy lets one of several rows through: that has to be one that
// can go through.
func (p Policies) PickOne() bool { return slices.Contains(p, First) || slices.Contains(p, Last) }
