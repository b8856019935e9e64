package snapshot

import (
	"context"
	"maps"
	"slices"
	"strings"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/mappings"
)

// find calls yield with each record that has text, which is of some kind.
func (s *Snapshot) find(kind uint8, text []byte, yield func(record []byte) error) error {
	wanted := s.hasher.Clone().Record(kind, text)
	for r, err := range s.index.Find(wanted.Hi, wanted.Lo) {
		if err != nil {
			return err
		}
		record, err := s.spool.Read(r.Row, r.Tag)
		if err != nil {
			return err
		}
		if err := yield(record); err != nil {
			return err
		}
	}
	return nil
}

// FindByKeys returns the records that have the keys, or the ids, that look asks
// for, as api.Client does. Whether a record that has a key in another form is near to
// it only the list can tell, which may take the two for the same or not: it is asked.
func (s *Snapshot) FindByKeys(ctx context.Context, look api.Lookup) (map[string]api.Found, error) {
	asked := make(map[string]bool, len(look.Keys))
	for _, key := range look.Keys {
		asked[key] = true
	}
	found := make(map[string]api.Found, len(look.Keys))
	var unclear []string
	for key := range asked {
		records, err := s.recordsOf(look.Field, key, asked)
		if err != nil {
			return nil, err
		}
		if len(records) > 0 {
			found[key] = api.Found{Records: records}
			continue
		}
		folds, err := s.hasFolded(look.Field, key)
		if err != nil {
			return nil, err
		}
		if folds {
			unclear = append(unclear, key)
		}
	}
	if len(unclear) == 0 {
		return found, nil
	}
	slices.Sort(unclear)
	look.Keys, look.Canary = unclear, s.canary
	shown, err := s.finder.FindByKeys(ctx, look)
	maps.Copy(found, shown)
	return found, err
}

// recordsOf returns the records that have key, or that id, where asked are all that are
// asked for.
func (s *Snapshot) recordsOf(field, key string, asked map[string]bool) (records []api.Record, err error) {
	kind, text := uint8(mappings.MatchKey), []byte(strings.TrimSpace(key))
	if field == "id" {
		kind, text = kindID, AppendID(nil, []byte(key))
	}
	err = s.find(kind, text, func(object []byte) error {
		r := recordOf(object, field)
		if kind == kindID || r.Key == key || strings.TrimSpace(r.Key) == key && !asked[r.Key] {
			records = append(records, r)
		}
		return nil
	})
	return records, err
}

// hasFolded reports whether a record has key in another form, which is not white space
// around it.
func (s *Snapshot) hasFolded(field, key string) (has bool, err error) {
	if field == "id" {
		return false, nil
	}
	err = s.find(kindFolded, []byte(api.FoldKey(key)), func(object []byte) error {
		has = has || strings.TrimSpace(recordOf(object, field).Key) != strings.TrimSpace(key)
		return nil
	})
	return has, err
}

// FindSimilar returns the records whose key differs from the only one that look asks for in
// case, white space or Unicode form. Other forms, which api.Client finds by the parts, are
// not looked for.
func (s *Snapshot) FindSimilar(_ context.Context, look api.Lookup, _ []string) (records []api.Record, err error) {
	err = s.find(kindFolded, []byte(api.FoldKey(look.Keys[0])), func(object []byte) error {
		records = append(records, recordOf(object, look.Field))
		return nil
	})
	return records, err
}

// Get returns the record with id, as api.Client does.
func (s *Snapshot) Get(_ context.Context, _, id string, _ []byte) (api.Outcome, error) {
	o := api.Outcome{Class: api.Answered, Status: 200}
	err := s.find(kindID, AppendID(nil, []byte(id)), func(object []byte) error {
		o.Body = object
		return nil
	})
	if err == nil && o.Body == nil {
		err = api.ErrNotFound
	}
	return o, err
}

// recordOf returns the record that object is, with the key that it has in field.
func recordOf(object []byte, field string) api.Record {
	return api.Record{ID: memberText(object, "id"), Key: memberText(object, field), Object: object}
}

func memberText(object []byte, name string) string {
	return string(jsonscan.Text(jsonscan.Member(object, name)))
}

// AnyKey returns no key: a snapshot shows what is in it, and needs none to prove that.
func (s *Snapshot) AnyKey(context.Context, string, string) (string, error) { return "", nil }
