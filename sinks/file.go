package sinks

import (
	"context"
	"crypto/sha256"

	"flytt/pipeline"
)

// fileSink writes what its encoder makes of the rows to an output, in order.
type fileSink struct {
	out     *output
	head    []byte // stands before the first row; nil once it is written
	encoder pipeline.Encoder
}

// Encoder returns the encoder of all workers: it keeps nothing between calls.
func (s *fileSink) Encoder() pipeline.Encoder { return s.encoder }

// Write appends the pending rows of c to the file.
func (s *fileSink) Write(ctx context.Context, c *pipeline.Chunk) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.begin(); err != nil {
		return err
	}
	if err := s.out.write(c.Data); err != nil {
		return err
	}
	c.SetPending(pipeline.Written)
	return nil
}

// begin writes the head, which a file without rows has too.
func (s *fileSink) begin() error {
	err := s.out.write(s.head)
	s.head = nil
	return err
}

// Commit gives the file its name.
func (s *fileSink) Commit(context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	return s.out.commit()
}

// Abort removes the file, if it has not got its name yet.
func (s *fileSink) Abort() (undone bool, err error) { return s.out.abort() }

// Sum implements Summed.
func (s *fileSink) Sum() (sum [sha256.Size]byte, bytes int64) { return s.out.tally.sum() }
