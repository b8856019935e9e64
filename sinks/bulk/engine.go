package bulk

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"flytt/internal/api"
	"flytt/internal/jsonobject"
	"flytt/pipeline"
)

// engine is what Import, Plan, Verify and Undo share: what a run knows of the API, its
// resource and the rows that it came across so far. It is for concurrent use.
type engine struct {
	client      *api.Client
	reader      Finder // of records: the client, or of a Plan a copy of the list
	schema      *pipeline.Schema
	options     Options
	limit       atomic.Int64 // bytes of one request; learned from 413
	doubts      atomic.Int64 // requests in a row that ended in doubt
	control     control
	byID, byKey bool // rows are told by these to be about records that exist
	changes     bool // by any of the two
	claims      claims
	anchor      atomic.Pointer[anchor]
	created     atomic.Bool // rows were sent to be created
	warnOnce    sync.Once
	began       time.Time              // when the pass did
	witness     atomic.Pointer[anchor] // a row that is known to be in the API
	resolvable  atomic.Bool            // rows were left in doubt that another pass may settle
	breaker     refusalBreaker
	numbering   numbering
	forms       keyForms
	fields      fieldForms
	strays      strays
	writes      sync.Pool    // *write
	sending     sync.RWMutex // held to read while rows are sent, until the journal has what became of them
}

func newEngine(client *api.Client, reader Finder, schema *pipeline.Schema, o Options) (*engine, error) {
	if err := jsonobject.Check(schema); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(o.Path, "/") || !strings.HasSuffix(o.Path, "/") {
		return nil, fmt.Errorf("path %s: does not start and end with a slash", o.Path)
	}
	o = o.withDefaults()
	if o.Key == "" || schema.Index(o.Key) < 0 {
		o.Key, o.KeyLookup = "", false
	}
	e := &engine{client: client, reader: reader, schema: schema, options: o, began: time.Now()}
	if err := e.checkMode(); err != nil {
		return nil, err
	}
	e.limit.Store(int64(o.MaxBytes))
	e.control.init(o.KeyLookup && (o.Atomicity == UnknownAtomicity || o.Mode == Upsert || o.SkipExisting || o.Journal != nil))
	e.claims.init()
	e.breaker.init(o.Path)
	e.writes.New = func() any { return newWrite(e) }
	return e, nil
}

// encoder returns an encoder of rows as JSON objects, behind the id of each row that is
// told by it.
func (e *engine) encoder() pipeline.Encoder {
	return newItemEncoder(e.schema, e.byID, e.options.AsStored)
}

// alive waits, once several requests in a row have ended in doubt, until the API
// answers: rows sent to an API that is down would all be in doubt.
func (e *engine) alive(ctx context.Context) error {
	if e.options.Journal == nil || e.doubts.Load() < aliveAfter {
		return nil
	}
	return e.client.WaitUntilUp(ctx, e.options.Path)
}

// doubted counts a request to path that proved nothing, because of cause. After many
// such requests in a row it stops the run, so that a dead API, or a login page
// in its place, does not leave a whole register in doubt.
func (e *engine) doubted(method, path string, cause error) error {
	if n := e.doubts.Add(1); n >= int64(e.options.MaxDoubts) {
		return &doubtsError{method: method, path: path, err: cause}
	}
	return nil
}
