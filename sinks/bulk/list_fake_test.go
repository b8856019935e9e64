package bulk

import (
	"net/url"
	"slices"
	"strings"
)

// filters reports whether q has a filter of ids or keys.
func filters(q url.Values) bool {
	return q.Has("id__in") || q.Has("custom_id__in") || q.Has("custom_id")
}

// asksFor reports whether the filters of q are for the record with id and key. Keys
// are the same if fold makes the same text of them; nil: only if they are equal.
func asksFor(q url.Values, id, key string, fold func(string) string) bool {
	if fold == nil {
		fold = func(key string) string { return key }
	}
	same := func(asked string) bool { return fold(asked) == fold(key) }
	return q.Has("id__in") && slices.Contains(strings.Split(q.Get("id__in"), ","), id) ||
		q.Has("custom_id__in") && slices.ContainsFunc(strings.Split(q.Get("custom_id__in"), ","), same) ||
		q.Has("custom_id") && same(q.Get("custom_id"))
}
