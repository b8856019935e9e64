package list

import (
	"bytes"
	"context"
	"io"
)

// Each calls visit with each object, whose error ends it. The object is valid until visit
// returns.
func (r *Rows) Each(ctx context.Context, visit func(object []byte) error) error {
	var page []byte
	for {
		var err error
		page, _, err = r.Next(ctx, page[:0])
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		for object := range bytes.Lines(page) {
			if object = bytes.TrimSpace(object); len(object) == 0 {
				continue
			}
			if err := visit(object); err != nil {
				return err
			}
		}
	}
}
