package bulk

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"flytt/internal/api"
	"flytt/internal/dedup"
	"flytt/internal/jsonobject"
	"flytt/pipeline"
)

// Reader finds records: an [api.Client] in the API, or a snapshot of its list in that. Its
// methods are those of the client.
type Reader interface {
	FindByKeys(ctx context.Context, l api.Lookup) (map[string]api.Found, error)
	FindSimilar(ctx context.Context, l api.Lookup, parts []string) ([]api.Record, error)
	AnyKey(ctx context.Context, path, field string) (string, error)
	Get(ctx context.Context, path, id string, into []byte) (api.Outcome, error)
}

// engine is what Import, Plan, Verify and Undo share: what a run knows of the API, its
// resource and the rows that it came across so far. It is for concurrent use.
type engine struct {
	reader  Reader
	schema  *pipeline.Schema
	options settings

	canary         canary
	byID, byKey    bool // rows with these are about records that exist
	changesRecords bool // by any of the two
	claims         *dedup.Claims
	listedKey      atomic.Pointer[canaryKey]

	warnOnce   sync.Once
	began      time.Time                 // when the pass did
	knownKey   atomic.Pointer[canaryKey] // a row that is known to be in the API
	resolvable atomic.Bool               // rows were left in doubt that another pass may settle

	forms     keyForms
	fields    fieldForms
	unmatched unmatchedRecords
}

func newEngine(reader Reader, schema *pipeline.Schema, o settings) (*engine, error) {
	if err := jsonobject.Check(schema); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(o.Path, "/") || !strings.HasSuffix(o.Path, "/") {
		return nil, fmt.Errorf("path %s: does not start and end with a slash", o.Path)
	}
	o.Records = cmp.Or(o.Records, strings.TrimSuffix(o.Path, "list/"))
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Key == "" || schema.Index(o.Key) < 0 {
		o.Key, o.KeyLookup = "", false
	}
	e := &engine{reader: reader, schema: schema, options: o, began: time.Now()}
	if err := e.checkMode(); err != nil {
		return nil, err
	}
	e.canary.init()
	e.claims = dedup.NewClaims(claimKinds, maxClaims)
	return e, nil
}

// encoder returns an encoder of rows as JSON objects, behind the id of each row that is
// identified by it.
func (e *engine) encoder() pipeline.Encoder {
	return newItemEncoder(e.schema, e.byID, e.options.AsStored)
}

// maxClaims is how many ids and keys a run remembers at most: some 20 MB.
const maxClaims = 1 << 20

// The kinds of texts that rows claim, so that no two rows change one record, and none makes
// a record that another is making. An id and a key may be the same text.
const (
	idClaim uint8 = iota
	keyClaim
	createClaim // the key of a row that was sent to be created

	claimKinds = iota
)

func (e *engine) settles() bool { return e.options.KeyLookup || e.changesRecords }

// field returns the index of the field that the API calls name: its own name,
// or that of the reference it belongs to.
func (e *engine) field(name string) int16 {
	if name == "" {
		return pipeline.None
	}
	if i := e.schema.Index(name); i >= 0 {
		return int16(i)
	}
	return int16(e.schema.Index(name + ".id"))
}
