package api

import (
	"context"
	"fmt"
	"net/url"

	"flytt/internal/jsonscan"
)

// anySize is how many records are read to find one with a key.
const anySize = 20

// AnyKey returns the key of some record that the list at path shows: one whose
// field can be asked for, if possible together with others. ErrBlind says that it
// shows none.
func (c *Client) AnyKey(ctx context.Context, path, field string) (string, error) {
	a := ask{list: NewList(path, nil), page: 1, size: anySize}
	var p page
	if err := c.fetch(ctx, &a, &p, ""); err != nil {
		return "", err
	}
	any := ""
	for i := range p.objects {
		key := keyOf(p.object(i), field)
		switch {
		case !Lookupable(key):
		case Joinable(string(key)):
			return string(key), nil
		case any == "":
			any = string(key)
		}
	}
	if any == "" {
		return "", fmt.Errorf("GET %s: %w", path, ErrBlind)
	}
	return any, nil
}

// Containing returns the records whose field contains part, without regard to case, as far
// as one page shows them. Part stands in the URL: it is of a key that may.
func (c *Client) Containing(ctx context.Context, path, field, part string) ([]Record, error) {
	a := ask{list: NewList(path, nil), page: 1, size: pageSize, extra: url.Values{field + "__icontains": {part}, "_order_by": {field}}}
	var p page
	if err := c.fetch(ctx, &a, &p, ""); err != nil {
		return nil, err
	}
	records := make([]Record, len(p.objects))
	for i := range records {
		object := p.object(i)
		records[i] = Record{ID: string(jsonscan.Text(jsonscan.Member(object, "id"))), Key: string(keyOf(object, field)), Object: object}
	}
	return records, nil
}
