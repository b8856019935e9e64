package list

import (
	"maps"
	"net/url"

	"flytt/internal/api"
)

// listRequest is one request to a list.
type listRequest struct {
	list *Query
	// extra are the reader's own filters and order. They replace parameters of the
	// query with the same name: bounds of a reading lie within those of its query and
	// are never wider.
	extra   url.Values
	page    int // from 1
	size    int // of a page; 0: ask for everything at once
	idsOnly bool
	jsonl   bool
}

// pageRequest returns the request for the client.
func (a *listRequest) pageRequest() *api.PageRequest {
	q := maps.Clone(a.list.values)
	maps.Copy(q, a.extra)
	for name, wanted := range map[string]bool{"_slim": a.idsOnly, "_jsonl": a.jsonl} {
		if wanted && a.list.takes("", name) == nil {
			q.Set(name, "true")
		}
	}
	return &api.PageRequest{Path: a.list.path, Query: q, Page: a.page, Size: a.size, IDsOnly: a.idsOnly}
}
