package bulk

import (
	"context"
	"time"
)

// longestGap is the longest time between the two reads that tell whether a row in
// doubt is there.
const longestGap = 3 * time.Second

// untilSettled waits until the API cannot be working any more on what was sent
// before this pass.
func (e *engine) untilSettled(ctx context.Context) error {
	if left := e.settleLeft(); left > 0 {
		return e.options.Drain.Sleep(ctx, left)
	}
	return nil
}
