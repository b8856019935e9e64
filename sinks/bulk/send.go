package bulk

import (
	"context"
	"net/http"
	"slices"

	"flytt/internal/api"
	"flytt/pipeline"
)

// sender sends rows in bulk requests, and settles them by the answers.
type sender struct {
	engine     *engine
	delivery   *delivery
	rows       *chunkRows
	storage    *storage
	journal    *chunkJournal
	own        *ownRecords
	rejections *rejections
	refusal    *refusal
	reconciler *reconciler
	answer     *api.Answer
	reply      *replyBuffer

	body []byte // of the request
}

// post sends rows in one request and settles them, but for those that the verdict
// leaves. Alone, nothing else is in flight at the same time.
func (sd *sender) post(ctx context.Context, rows []int32, alone bool) (verdict, error) {
	o, err := sd.deliver(ctx, rows, sd.delivery.writer(alone))
	if err != nil {
		return verdict{}, err
	}
	if o.Class == api.InDoubt {
		sd.rows.putInDoubt(rows, "no clear answer", o.Status, o.Err)
		err := sd.delivery.noteDoubt(http.MethodPost, sd.engine.options.Path, o.Err)
		sd.reconciler.lookOnce(ctx, rows)
		return verdict{ending: cameInDoubt}, err
	}
	if o.OK() {
		r, err := sd.confirm(ctx, rows, o)
		if r.ending == cameInDoubt {
			sd.reconciler.lookOnce(ctx, rows)
			r.ending = sd.confirmed(rows)
		}
		return r, err
	}
	if api.IsRefusal(o.Status) {
		return sd.refusal.settle(ctx, rows, o)
	}
	sd.delivery.doubts.Store(0)
	if o.Status == http.StatusRequestEntityTooLarge {
		sd.tooLarge(rows)
		return verdict{ending: wasTooLarge}, nil
	}
	return verdict{}, &api.StatusError{Method: http.MethodPost, Path: sd.engine.options.Path, Status: o.Status}
}

// deliver makes attempts by via until one may have been processed. Before the first
// the journal has it that they are made.
func (sd *sender) deliver(ctx context.Context, rows []int32, via Writer) (api.Outcome, error) {
	path := sd.engine.options.Path
	if err := sd.delivery.breaker.tripped(); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	if err := sd.delivery.waitUntilUp(ctx); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	if err := sd.journal.checkpoint(); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	if err := sd.journal.announce(rows, nil); err != nil {
		return api.Outcome{Class: api.NotSent}, err
	}
	sd.body = append(sd.body[:0], '[')
	for i, row := range rows {
		if i > 0 {
			sd.body = append(sd.body, ',')
		}
		sd.body = append(sd.body, sd.rows.item(row)...)
	}
	sd.body = append(sd.body, ']')
	sd.delivery.created.Store(true)
	for _, row := range rows {
		sd.rows.claimCreated(row) // before another chunk can see its record
	}
	return sd.delivery.client.Deliver(ctx, http.MethodPost, path, func() api.Outcome {
		o := via.BulkWrite(ctx, path, sd.body, sd.reply.bytes)
		sd.reply.keep(o)
		return o
	})
}

// confirm settles rows by an answer with a status of success. Rows that it shows are
// written; those that it says failed are rejected. What it says nothing of is in doubt,
// with the ids of the records that it shows beside; an answer that shows nothing is as
// good as none. One that is a refusal, for all its status, is taken for that.
func (sd *sender) confirm(ctx context.Context, rows []int32, o api.Outcome) (verdict, error) {
	sent := sd.rows.sent(rows)
	if err := sd.delivery.indexBase.match(sd.answer, o.Body, sent); err != nil {
		sd.rows.putInDoubt(rows, "answer not readable", o.Status, err)
		return verdict{ending: cameInDoubt}, sd.delivery.noteDoubt(http.MethodPost, sd.engine.options.Path, err)
	}
	if sd.answer.Refused() {
		refusals := slices.Clone(sd.answer.Refusals())
		return sd.refusal.settleFor(ctx, rows, &o, refusals, sd.delivery.contention(&o, sent, refusals))
	}
	for i, row := range rows {
		switch record := sd.answer.Object(i); {
		case !sd.answer.Written(i):
		case sd.answer.MatchedBy(i) != api.ByKey && sd.own.ages.existed(record): // it is somebody else's
			sd.journal.unmatchedIDs = append(sd.journal.unmatchedIDs, string(sd.answer.ID(i)))
		default:
			sd.own.written(row, sd.answer.ID(i))
			sd.own.noteCreated(row, record)
		}
	}
	refusals := sd.answer.Refusals()
	others, locked := sd.rejections.rejectNamed(rows, refusals, sd.delivery.contention(&o, sent, refusals).Items)
	if err := sd.doubtUnshown(rows, others); err != nil {
		return verdict{ending: cameInDoubt}, err
	}
	sd.noteLatest(rows)
	return verdict{ending: sd.confirmed(rows), locked: locked}, nil
}

// doubtUnshown puts those of the rows of a request in doubt of which its answer said
// nothing.
func (sd *sender) doubtUnshown(rows, unshown []int32) error {
	if len(unshown) == 0 {
		sd.delivery.doubts.Store(0)
		return nil
	}
	for _, row := range unshown {
		sd.rows.chunk.Fates[row] = pipeline.InDoubt
	}
	for _, id := range sd.answer.UnmatchedIDs() {
		sd.journal.unmatchedIDs = append(sd.journal.unmatchedIDs, string(id))
	}
	sd.engine.options.Log.Warn("rows in doubt", "cause", "the answer does not show them",
		"chunk", sd.rows.chunk.Seq, "rows", len(unshown), "of", len(rows))
	if len(unshown) == len(rows) {
		return sd.delivery.noteDoubt(http.MethodPost, sd.engine.options.Path, errShowsNone)
	}
	sd.delivery.doubts.Store(0)
	return nil
}

// confirmed returns how a request with rows ended that was answered with success.
func (sd *sender) confirmed(rows []int32) ending {
	if len(sd.rows.withFate(rows, pipeline.InDoubt)) > 0 {
		return cameInDoubt
	}
	return wentThrough
}

// noteLatest makes the last of rows that was written the canary.
func (sd *sender) noteLatest(rows []int32) {
	for _, row := range slices.Backward(rows) {
		if key := sd.rows.key(row); sd.rows.chunk.Fates[row] == pipeline.Written && sd.engine.forms.trusts(key) && !sd.storage.rekeyed(row) {
			sd.engine.canary.noteWritten(key)
			return
		}
	}
}

// tooLarge remembers that a request with rows is too large: half as much is sent
// at a time from now on. A row that is too large on its own is rejected.
func (sd *sender) tooLarge(rows []int32) {
	if len(rows) == 1 {
		sd.rows.note(rows[0], pipeline.None, codeItemTooLarge, "")
		return
	}
	half := int64(len(sd.body) / 2)
	for limit := sd.delivery.limit.Load(); half < limit; limit = sd.delivery.limit.Load() {
		if sd.delivery.limit.CompareAndSwap(limit, half) {
			sd.engine.options.Log.Warn("request too large for the API, sending less at a time", "bytes", half)
		}
	}
}

// fit returns how many of rows one request has room for: at least one.
func (sd *sender) fit(rows []int32) int {
	room := int(sd.delivery.limit.Load()) - len("[]")
	for n, row := range rows {
		room -= len(sd.rows.item(row)) + len(",")
		if room < 0 && n > 0 {
			return n
		}
	}
	return len(rows)
}

// replyBuffer is where the body of an answer is read into; it is kept for the next.
type replyBuffer struct {
	bytes []byte // body of the answer
}

// keep keeps the buffer of the answer for the next one.
func (b *replyBuffer) keep(o api.Outcome) {
	if cap(o.Body) > cap(b.bytes) {
		b.bytes = o.Body[:0]
	}
}
