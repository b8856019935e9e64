package sources

import (
	"context"
	"io"

	"flytt/pipeline"
)

// Each calls visit with the rows of s, a batch at a time, which is visit's until it
// returns. It decodes on the goroutine of the caller.
func Each(s pipeline.Source, visit func(*pipeline.Batch) error) error {
	d := s.Decoder()
	var block pipeline.Block
	var b pipeline.Batch
	for {
		switch err := s.Next(context.Background(), &block); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := d.Decode(&block, &b); err != nil {
			return err
		}
		if err := visit(&b); err != nil {
			return err
		}
	}
}
