package bulk

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"

	"flytt/internal/api"
	"flytt/pipeline"
)

// delivery is what a run knows of the requests that it makes to write. Only what writes
// holds it. It is for concurrent use.
type delivery struct {
	options   *settings
	maxDoubts int64

	client    *api.Client
	limit     atomic.Int64 // bytes of one request; learned from 413
	doubts    atomic.Int64 // requests in a row that ended in doubt
	created   atomic.Bool  // rows were sent to be created
	breaker   refusalBreaker
	indexBase indexBase
	sending   sync.RWMutex // held to read while rows are sent, until the journal has what became of them
}

// writer returns what makes writes, alone or not.
func (d *delivery) writer(alone bool) Writer {
	if alone {
		return d.client.Exclusive()
	}
	return d.client
}

// contention returns what a refusal says of other writes. If it is due to those, fewer
// are sent at once from now on.
func (d *delivery) contention(o *api.Outcome, sent api.Sent, refusals []api.Refusal) api.Contention {
	c := o.Contention(sent, refusals)
	if c.Any() {
		d.client.RecordConflict(*o)
	}
	return c
}

// keptOut returns what was said of a write of one record, which was sent, if it was
// refused because of another write.
func (d *delivery) keptOut(o *api.Outcome, sent []byte) []api.Refusal {
	if o.Class != api.Answered || !api.IsRefusal(o.Status) {
		return nil
	}
	refusals := refusalsOfOne(o.Body, sent)
	if c := d.contention(o, api.Sent{Items: [][]byte{sent}}, refusals); !c.Any() {
		return nil
	}
	d.doubts.Store(0)
	return refusals
}

// waitUntilUp waits, once several requests in a row have ended in doubt, until the API
// answers: rows sent to an API that is down would all be in doubt.
func (d *delivery) waitUntilUp(ctx context.Context) error {
	if d.options.Journal == nil || d.doubts.Load() < aliveAfter {
		return nil
	}
	return d.client.WaitUntilUp(ctx, d.options.Path)
}

// noteDoubt counts a request to path that proved nothing, because of cause. After many
// such requests in a row it stops the run, so that a dead API, or a login page
// in its place, does not leave a whole register in doubt.
func (d *delivery) noteDoubt(method, path string, cause error) error {
	if n := d.doubts.Add(1); n >= d.maxDoubts {
		return &stopError{
			reason: errDoubts,
			what:   method + " " + path + ": no clear answer to any of the last requests: " + cause.Error(),
			hint:   "see whether the API is well before going on; the rows in doubt are listed and were not sent again",
			cause:  cause,
		}
	}
	return nil
}

func (d *delivery) patchStops(status int) error {
	return &api.StatusError{Method: http.MethodPatch, Path: d.options.Records, Status: status}
}

func newDelivery(client *api.Client, o *settings, l Limits) *delivery {
	d := &delivery{options: o, client: client, maxDoubts: int64(l.MaxDoubts)}
	d.limit.Store(int64(l.MaxBytes))
	d.breaker.path, d.breaker.turn = o.Path, make(chan struct{}, 1)
	return d
}

var errShowsNone = errors.New("the answer shows none of the rows")

// column returns the index of the input column that field comes from.
func (e *engine) column(field int16) int16 {
	if field >= 0 && int(field) < len(e.options.Columns) {
		return e.options.Columns[field]
	}
	return pipeline.None
}

// interrupted reports whether err says that ctx has ended, or that nothing is to be
// waited for any more.
func interrupted(ctx context.Context, err error) bool {
	return errors.Is(err, pipeline.ErrInterrupted) || ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}

// indexBase is what the errors of the API so far have shown of the number from which
// they count rows. It is for concurrent use.
type indexBase struct{ base atomic.Uint32 }

// parse reads body, the answer to a refused request of sent, and learns from it.
func (n *indexBase) parse(body []byte, sent api.Sent) []api.Refusal {
	for {
		known := n.base.Load()
		refusals, learned := api.ParseRefusals(body, sent, api.IndexBase(known))
		if n.base.CompareAndSwap(known, uint32(learned)) {
			return refusals
		}
	}
}

// match matches body with what was sent, and learns from it.
func (n *indexBase) match(a *api.Answer, body []byte, sent api.Sent) error {
	for {
		known := n.base.Load()
		a.Base = api.IndexBase(known)
		if err := a.Match(body, sent); err != nil || n.base.CompareAndSwap(known, uint32(a.Base)) {
			return err
		}
	}
}

// aliveAfter is how many requests in a row may end in doubt before the API is
// asked whether it is there at all.
const aliveAfter = 3
