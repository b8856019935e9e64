package inspect

import (
	"context"
	"io"
	"math"

	"flytt/pipeline"
	"flytt/sources"
)

const (
	sampleRows  = 1000     // that are examined unless all are
	sampleBytes = 16 << 20 // of rows as they are cut; very wide rows make fewer
	gaugeBytes  = 8 << 20  // cut to estimate how much of the input a row takes: more than detection reads ahead
)

// sampler examines the first rows of an input, or all of them.
type sampler struct {
	source  pipeline.Source
	info    *sources.Info
	survey  *survey
	decoded int64 // bytes of the blocks that were examined
	seen    int64 // rows in them, of which the survey may have fewer
	cut     int64 // bytes of all blocks
	end     int64 // how far the input has been read
	whole   bool  // the input ends with the blocks that were examined
}

// read examines the first rows, or all, and returns how many there are.
func (s *sampler) read(ctx context.Context, all bool, update func(pipeline.Progress)) (Rows, error) {
	if err := s.sample(ctx, all); err != nil {
		return Rows{}, err
	}
	if all && !s.whole {
		if err := s.readRest(ctx, update); err != nil {
			return Rows{}, err
		}
		return Rows{Count: s.survey.rows, Exact: true, LookedAt: s.survey.rows}, nil
	}
	rows, err := s.count(ctx)
	rows.LookedAt = s.survey.rows
	return rows, err
}

// sample examines the first rows: all of the blocks that hold them, or the first
// sampleRows alone.
func (s *sampler) sample(ctx context.Context, all bool) error {
	var block pipeline.Block
	var batch pipeline.Batch
	decoder := s.source.Decoder()
	for s.seen < sampleRows && s.cut < sampleBytes {
		err := s.next(ctx, &block)
		if err == io.EOF {
			s.whole = true
			return nil
		}
		if err != nil {
			return err
		}
		batch.Reset(len(s.source.Columns()))
		if err := decoder.Decode(&block, &batch); err != nil {
			return err
		}
		n := batch.Len()
		if !all {
			n = min(n, int(sampleRows-s.survey.rows))
		}
		s.survey.add(&batch, n)
		s.decoded, s.seen = s.cut, s.seen+int64(batch.Len())
	}
	return nil
}

// next cuts one block.
func (s *sampler) next(ctx context.Context, block *pipeline.Block) error {
	err := s.source.Next(ctx, block)
	if err == nil {
		s.cut += int64(len(block.Data))
		s.end = block.End
	}
	return err
}

// count returns how many rows there are, as far as the sample shows.
func (s *sampler) count(ctx context.Context) (Rows, error) {
	if s.whole {
		return Rows{Count: s.seen, Exact: true}, nil
	}
	if s.info.Rows > 0 {
		return Rows{Count: s.info.Rows, Exact: true}, nil
	}
	if rows := s.stated(); rows >= s.seen {
		return Rows{Count: rows, Stated: true}, nil
	}
	if err := s.cutMore(ctx); err != nil {
		return Rows{}, err
	}
	switch {
	case s.whole:
		return Rows{Count: s.seen, Exact: true}, nil
	case s.info.Size <= 0 || s.end <= 0 || s.seen == 0:
		return Rows{Count: -1}, nil
	}
	n := float64(s.seen) * float64(s.info.Size) / float64(s.end)
	if s.decoded > 0 {
		n *= float64(s.cut) / float64(s.decoded)
	}
	return Rows{Count: max(rounded(n), s.seen)}, nil
}

// cutMore cuts some more blocks, which show how much of the input a row takes:
// compressed input is not the same throughout, and detection has read ahead.
func (s *sampler) cutMore(ctx context.Context) error {
	var block pipeline.Block
	for s.decoded > 0 && s.cut < gaugeBytes {
		err := s.next(ctx, &block)
		if err == io.EOF {
			s.whole = s.cut == s.decoded
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stated returns how many rows the sheet says it has below its header, or -1.
func (s *sampler) stated() int64 {
	for _, sheet := range s.info.Sheets {
		if sheet.Name == s.info.Sheet && sheet.Rows >= 0 {
			return sheet.Rows - s.info.HeaderRow
		}
	}
	return -1
}

// rounded returns n to two digits, which is as much as an estimate knows.
func rounded(n float64) int64 {
	unit := math.Pow10(max(int(math.Log10(max(n, 1)))-1, 0))
	return int64(math.Round(n/unit) * unit)
}

// readRest examines all rows that are left, on every processor.
func (s *sampler) readRest(ctx context.Context, update func(pipeline.Progress)) error {
	var parts []*survey
	run := pipeline.Run{
		Source: s.source, Schema: &pipeline.Schema{}, Progress: update,
		Steps: func() []pipeline.Step {
			part := s.survey.plan.newSurvey(false)
			parts = append(parts, part)
			return []pipeline.Step{part}
		},
	}
	_, err := run.Do(ctx)
	for _, part := range parts {
		s.survey.merge(part)
	}
	s.whole = err == nil
	return err
}
