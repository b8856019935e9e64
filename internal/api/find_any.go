package api

import (
	"context"
	"fmt"
	"net/url"
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

// Alike returns records whose field may hold the only key that l asks for in another form:
// those that contain one of parts, without regard to case, as far as a page shows them. The
// parts stand in the URL: they are of a key that may.
func (c *Client) Alike(ctx context.Context, l Lookup, parts []string) (records []Record, err error) {
	for _, part := range parts {
		a := ask{list: NewList(l.Path, nil), page: 1, size: pageSize, extra: url.Values{l.Field + "__icontains": {part}, "_order_by": {l.Field}}}
		var p page
		if err := c.fetch(ctx, &a, &p, ""); err != nil {
			return nil, err
		}
		for i := range p.objects {
			object := p.object(i)
			records = append(records, Record{ID: idOf(object), Key: string(keyOf(object, l.Field)), Object: object})
		}
	}
	return records, nil
}
