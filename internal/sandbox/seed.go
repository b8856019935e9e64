package sandbox

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
)

const (
	seedChunk = 1000 // rows written in one transaction
	seedTries = 100  // draws of a row until it meets the rules
	poolSize  = 20   // records of each resource that seeded rows refer to
)

// Seed adds n made-up rows to a resource, for the tenant of the credentials. Everything
// about them, ids and created_at included, depends only on the resource and seed: with
// the same seed, a larger n gives the same rows and more. Existing rows stay as they
// are, so seeding the same database again adds nothing but rows that were deleted.
//
// The rows meet the rules of the descriptor. Names are Swedish; identity numbers have a
// valid check digit and are reserved for tests; the domains of addresses do not exist.
// Nullable fields are null now and then. created_at lies between 2012 and 2025, with
// equal values and bursts. References name a few records, which are registered as by
// AddRelated.
func (s *Sandbox) Seed(resource string, n int, seed uint64) error {
	t := s.named(resource)
	if t == nil {
		return fmt.Errorf("sandbox: seed: resource %s is not served", resource)
	}
	g := newSeeder(s, t, seed)
	for _, to := range g.resources() {
		if err := s.AddRelated(to, g.pool(to)); err != nil {
			return err
		}
	}
	for n > 0 {
		items := make([]*record, min(n, seedChunk))
		for i := range items {
			var err error
			if items[i], err = g.record(); err != nil {
				return fmt.Errorf("sandbox: seed: resource %s: %w", resource, err)
			}
		}
		if err := g.write(items); err != nil {
			return fmt.Errorf("sandbox: seed: resource %s: %w", resource, err)
		}
		n -= len(items)
	}
	s.stamped(g.clock)
	return nil
}

// stamped makes sure that later values of created_at come after micros.
func (s *Sandbox) stamped(micros int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last, micros)
}

// seeder makes up rows of one resource.
type seeder struct {
	box      *Sandbox
	table    *table
	tenant   int64
	seed     uint64
	rng      *rand.Rand
	clock    int64                // created_at of the last row, in microseconds
	made     int                  // rows so far
	shared   uuid.UUID            // what ids begin with, see sharedID
	taken    map[int]valueSet     // of the fields in which rows have to differ
	pools    map[string][]string  // ids of records to refer to, by resource
	patterns map[int]*patternText // of the fields that have one
}

type valueSet map[string]bool

// The years created_at lies in, in microseconds.
var (
	seedStart = time.Date(2012, 1, 2, 7, 0, 0, 0, time.UTC).UnixMicro()
	seedEnd   = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
)

func newSeeder(s *Sandbox, t *table, seed uint64) *seeder {
	g := &seeder{
		box: s, table: t, tenant: s.tenants[s.headers[0].value], seed: seed, clock: seedStart,
		rng:   rand.New(rand.NewPCG(seed, hash(t.resource.Name))),
		taken: map[int]valueSet{}, pools: map[string][]string{}, patterns: map[int]*patternText{},
	}
	for _, i := range t.unique {
		g.taken[i] = valueSet{}
	}
	return g
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // never fails
	return h.Sum64()
}

// resources returns the names of the resources the rows refer to.
func (g *seeder) resources() []string {
	var names []string
	for _, f := range g.table.fields {
		if f.To != "" && !slices.Contains(names, f.To) {
			names = append(names, f.To)
		}
	}
	return names
}

// pool returns the ids of the records of a resource that rows refer to. They
// follow from the seed and the resource referred to, whoever refers.
func (g *seeder) pool(resource string) []string {
	ids := g.pools[resource]
	if ids != nil {
		return ids
	}
	rng := rand.New(rand.NewPCG(g.seed, hash("related "+resource)))
	for range poolSize {
		ids = append(ids, drawUUID(rng).String())
	}
	g.pools[resource] = ids
	return ids
}

func drawUUID(rng *rand.Rand) uuid.UUID {
	random := make([]byte, 0, 16)
	for range 16 {
		random = append(random, byte(rng.Uint32()))
	}
	return version4(random)
}

// record draws the next row: again, as long as it is not valid.
func (g *seeder) record() (*record, error) {
	if g.made%seedChunk == 0 {
		g.shared = drawUUID(g.rng)
	}
	g.made++
	id := drawUUID(g.rng)
	copy(id[:sharedID], g.shared[:])
	g.clock = g.tick()
	var rec *record
	for range seedTries {
		rec = g.draw()
		rec.values[g.table.id] = idValue(id, `"`, `"`)
		if g.table.created >= 0 {
			rec.values[g.table.created] = timeValue(g.clock)
		}
		if err := g.table.check([]*record{rec}); err != nil {
			return nil, err
		}
		if rec.bad() {
			continue
		}
		if err := g.box.toStoredForm(g.table, rec, &g.box.options.Storage); err != nil {
			return nil, err
		}
		if g.distinct(rec) {
			g.table.render(rec)
			return rec, nil
		}
	}
	return nil, unseedable(rec)
}

// unseedable says why no row could be made.
func unseedable(rec *record) error {
	if rec.bad() {
		return fmt.Errorf("field %s: nothing made up meets its rules: %s", rec.faults[0].field, rec.faults[0].message)
	}
	return errors.New("no more values that must be unique can be made up")
}

// tick returns the next created_at: often much later, in bursts a little, and
// now and then not at all.
func (g *seeder) tick() int64 {
	kind, gap := g.rng.IntN(100), g.rng.Int64N(5*60*1e6)
	switch {
	case kind < 5:
		return g.clock
	case kind < 35 || g.clock+gap >= seedEnd:
		return g.clock + 1 + gap%2000
	}
	return g.clock + gap
}

// distinct reports whether rec differs from all rows before it in the unique fields,
// and remembers it.
func (g *seeder) distinct(rec *record) bool {
	for i, taken := range g.taken {
		if v := &rec.values[i]; v.column != nil && taken[string(v.text)] {
			return false
		}
	}
	for i, taken := range g.taken {
		taken[string(rec.values[i].text)] = true
	}
	return true
}

// write adds the rows that are not there.
func (g *seeder) write(items []*record) error {
	return g.box.store.write(g.table, func(tx *transaction) error {
		add := tx.statement(g.table.sql.seed)
		for _, rec := range items {
			if err := g.free(tx, rec); err != nil {
				return err
			}
			if _, err := add.Exec(rec.appendColumns([]any{g.tenant, rec.doc})...); err != nil {
				return err
			}
		}
		return nil
	})
}

// free makes sure that no other row has a value that must be unique.
func (g *seeder) free(tx *transaction, rec *record) error {
	for _, i := range g.table.unique {
		if rec.values[i].column == nil {
			continue
		}
		taken, err := tx.taken(g.table, i, rec, g.tenant)
		if err != nil {
			return err
		}
		if taken {
			return fmt.Errorf("field %s: a row has a value that must be unique; choose another seed", g.table.fields[i].Name)
		}
	}
	return nil
}

// number returns a text that no other row of any seed has.
func (g *seeder) number() string {
	return "K" + strconv.FormatUint(g.seed, 36) + "-" + fmt.Sprintf("%06d", g.made)
}
