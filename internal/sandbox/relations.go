package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// noSuchObject is what the server says of a reference to nothing.
const noSuchObject = "Invalid id: object does not exist."

// known and relate are the SQL of the register of related records. Parameters:
// tenant, resource, id.
const (
	known  = "SELECT EXISTS (SELECT 1 FROM _related WHERE tenant=? AND resource=? AND id=?)"
	relate = "INSERT INTO _related VALUES (?,?,?) ON CONFLICT DO NOTHING"
)

// AddRelated registers ids of records of a resource, for every tenant of s. With
// Options.StrictRelations a reference has to name one of them, or a row that s has. The
// resource is one that s serves, or one to which a field refers, by its name:
// externalclient. If there is an error, no id is registered.
func (s *Sandbox) AddRelated(resource string, ids []string) error {
	t, err := s.relating(resource)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	parsed := make([]uuid.UUID, len(ids))
	for i, text := range ids {
		id, ok := parseUUID([]byte(text))
		if !ok {
			return fmt.Errorf("sandbox: related %s: id %d of %d is not a uuid", resource, i+1, len(ids))
		}
		parsed[i] = id
	}
	err = s.store.write(t, func(tx *transaction) error {
		for _, tenant := range s.tenants {
			for _, id := range parsed {
				if _, err := tx.statement(relate).Exec(tenant, resource, id[:]); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sandbox: related %s: %w", resource, err)
	}
	return nil
}

// relating returns a table that knows the resource: its own, or one that refers to it.
func (s *Sandbox) relating(resource string) (*table, error) {
	names := map[string]bool{}
	for _, t := range s.tables {
		if t.resource.Name == resource {
			return t, nil
		}
		names[t.resource.Name] = true
		for _, f := range t.fields {
			if f.To == resource && resource != "" {
				return t, nil
			}
			names[f.To] = true
		}
	}
	delete(names, "")
	return nil, fmt.Errorf("resource %s: nothing refers to it; there are %s", resource, strings.Join(slices.Sorted(maps.Keys(names)), ", "))
}

// related adds faults for references to unknown records, if Options.StrictRelations is
// set, in the fields that the items give.
func (s saver) related(tx *transaction, items []*record) error {
	if !s.x.box.options.StrictRelations {
		return nil
	}
	for i := range s.x.table.fields {
		f := &s.x.table.fields[i]
		if f.To == "" {
			continue
		}
		r := &relatedIDs{tx: tx, resource: f.To, tenant: s.x.tenant, own: s.x.box.named(f.To), seen: map[uuid.UUID]bool{}}
		for _, rec := range items {
			exist, err := r.all(referred(&rec.values[i]))
			if err != nil {
				return err
			}
			if !exist {
				rec.fault(f.Name, noSuchObject)
			}
		}
	}
	return nil
}

// named returns the table of a resource, nil if s does not serve it.
func (s *Sandbox) named(resource string) *table {
	for _, t := range s.tables {
		if t.resource.Name == resource {
			return t
		}
	}
	return nil
}

// referred returns the ids that a value refers to.
func referred(v *value) []uuid.UUID {
	switch column := v.column.(type) {
	case []byte:
		return []uuid.UUID{uuid.UUID(column)}
	case string: // ["…","…"], as decodeReferences writes it
		var ids []uuid.UUID
		for i := len(`["`); i+36 < len(column); i += 36 + len(`","`) {
			id, _ := parseUUID([]byte(column[i : i+36]))
			ids = append(ids, id)
		}
		return ids
	}
	return nil
}

// relatedIDs looks up records of one resource for the items of one request, each of
// them once.
type relatedIDs struct {
	tx       *transaction
	resource string
	tenant   int64
	own      *table // of the resource, or nil
	seen     map[uuid.UUID]bool
}

// all reports whether every id is one of a record.
func (r *relatedIDs) all(ids []uuid.UUID) (bool, error) {
	for _, id := range ids {
		exists, seen := r.seen[id]
		if !seen {
			var err error
			if exists, err = r.look(id); err != nil {
				return false, err
			}
			r.seen[id] = exists
		}
		if !exists {
			return false, nil
		}
	}
	return true, nil
}

// look queries the database.
func (r *relatedIDs) look(id uuid.UUID) (exists bool, err error) {
	err = r.tx.statement(known).QueryRow(r.tenant, r.resource, id[:]).Scan(&exists)
	if err != nil || exists || r.own == nil {
		return exists, err
	}
	doc, err := r.tx.doc(r.own, id, r.tenant)
	return doc != nil, err
}
