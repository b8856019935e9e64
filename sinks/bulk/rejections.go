package bulk

import (
	"flytt/internal/api"
	"flytt/pipeline"
)

// rejections rejects rows for what the API said of them, and counts them.
type rejections struct {
	engine *engine
	rows   *chunkRows

	refused   int // rows that the API has refused
	lockedOut int // of those, rows that other writes kept out
}

// rejectNamed rejects the rows that refusals name. It returns the others, and apart from
// them the rows that, by kept, another write kept out.
func (rj *rejections) rejectNamed(rows []int32, refusals []api.Refusal, kept map[int]bool) (others []int32, locked []lockedRow) {
	for _, r := range refusals {
		if r.Item >= 0 && !kept[r.Item] {
			rj.noteRefusal(rows[r.Item], codeRefused, r)
		}
	}
	for i, row := range rows {
		switch {
		case kept[i]:
			locked = append(locked, lockedRow{row, reasonsOf(refusals, i)})
		case rj.rows.chunk.Fates[row] == pipeline.Pending:
			others = append(others, row)
		}
	}
	return others, locked
}

// rejectOne rejects row for what was said of a request that held no other.
func (rj *rejections) rejectOne(row int32, refusals []api.Refusal) {
	others, _ := rj.rejectNamed([]int32{row}, refusals, nil)
	rj.rejectAll(others, codeRefused, refusals)
}

// rejectAll rejects rows for what refusals say of the request as a whole.
func (rj *rejections) rejectAll(rows []int32, code pipeline.Code, refusals []api.Refusal) {
	for _, row := range rows {
		for _, r := range refusals {
			if r.Item < 0 {
				rj.noteRefusal(row, code, r)
			}
		}
		if rj.rows.chunk.Fates[row] == pipeline.Pending {
			rj.noteRefusal(row, code, api.Refusal{Item: -1})
		}
	}
}

// noteRefusal rejects row for the reason r. A field that was not sent is named
// in the message.
func (rj *rejections) noteRefusal(row int32, code pipeline.Code, r api.Refusal) {
	field := rj.engine.field(r.Field)
	message := r.Message
	if field == pipeline.None && r.Field != "" {
		message = r.Field + ": " + message
	}
	if code == codeRefused && rj.rows.chunk.Fates[row] == pipeline.Pending {
		rj.refused++
	}
	rj.rows.note(row, field, code, message)
}

// begin forgets the rows of the chunk before.
func (rj *rejections) begin() { rj.refused, rj.lockedOut = 0, 0 }
