package bulk

import (
	"context"

	"flytt/internal/api"
)

// singleWriter makes writes that are about one record each.
type singleWriter struct {
	engine     *engine
	delivery   *delivery
	rejections *rejections
}

// sendEach makes the writes of rows, each of which is about one record. Send makes that
// of rows[i], alone or not, and returns what was said of it if another write kept it out.
// Those that are kept out are sent again in the end, and rejected if that does not help.
func (sw *singleWriter) sendEach(ctx context.Context, rows []int32, send func(i int, alone bool) ([]api.Refusal, error)) error {
	all := make([]keptWrite, len(rows))
	for i := range all {
		all[i].index = i
	}
	kept, err := sendRound(all, func(i int) ([]api.Refusal, error) { return send(i, false) })
	if err != nil {
		return err
	}
	kept, err = lastRounds(ctx, sw.engine.options.Drain, kept, func(kept []keptWrite) ([]keptWrite, error) {
		return sendRound(kept, func(i int) ([]api.Refusal, error) { return send(i, true) })
	})
	for _, k := range kept {
		sw.rejections.rejectOne(rows[k.index], k.refusals)
	}
	sw.rejections.lockedOut += len(kept)
	return err
}

// deliverOne has deliver make a write of one record, which is sent, until it may have been
// processed; once more and alone if others were in flight and kept it out. Kept is what
// was said if it is kept out in the end.
func (sw *singleWriter) deliverOne(sent []byte, alone bool, deliver func(via Writer) (api.Outcome, error)) (o api.Outcome, kept []api.Refusal, err error) {
	for {
		if o, err = deliver(sw.delivery.writer(alone)); err != nil {
			return o, nil, err
		}
		if kept = sw.delivery.keptOut(&o, sent); kept == nil || alone || !o.Overlapped {
			return o, kept, nil
		}
		alone = true
	}
}
