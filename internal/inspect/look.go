package inspect

import (
	"context"
	"io"
	"math"

	"flytt/pipeline"
	"flytt/sources"
)

const (
	sampleRows  = 1000     // of the first look
	sampleBytes = 16 << 20 // of rows as they are cut; very wide rows make fewer
	gaugeBytes  = 8 << 20  // cut to tell how much of the input a row takes: beyond what detection reads ahead
)

// look is a first look into an input, which can go on to its end.
type look struct {
	source  pipeline.Source
	info    *sources.Info
	survey  *survey
	decoded int64 // bytes of the blocks that were looked into
	seen    int64 // rows in them, of which the survey may have fewer
	cut     int64 // bytes of all blocks
	end     int64 // how far the input has been read
	whole   bool  // the input ends with the blocks that were looked into
}

// read looks into the first rows, or into all, and returns how many there are.
func (l *look) read(ctx context.Context, all bool, update func(pipeline.Progress)) (Rows, error) {
	if err := l.begin(ctx, all); err != nil {
		return Rows{}, err
	}
	if all && !l.whole {
		if err := l.finish(ctx, update); err != nil {
			return Rows{}, err
		}
		return Rows{Count: l.survey.rows, Exact: true, LookedAt: l.survey.rows}, nil
	}
	rows, err := l.count(ctx)
	rows.LookedAt = l.survey.rows
	return rows, err
}

// begin looks into the first rows: all of the blocks that hold them, or the
// first sampleRows alone.
func (l *look) begin(ctx context.Context, all bool) error {
	var block pipeline.Block
	var batch pipeline.Batch
	decoder := l.source.Decoder()
	for l.seen < sampleRows && l.cut < sampleBytes {
		err := l.next(ctx, &block)
		if err == io.EOF {
			l.whole = true
			return nil
		}
		if err != nil {
			return err
		}
		batch.Reset(len(l.source.Columns()))
		if err := decoder.Decode(&block, &batch); err != nil {
			return err
		}
		n := batch.Len()
		if !all {
			n = min(n, int(sampleRows-l.survey.rows))
		}
		l.survey.add(&batch, n)
		l.decoded, l.seen = l.cut, l.seen+int64(batch.Len())
	}
	return nil
}

// next cuts one block.
func (l *look) next(ctx context.Context, block *pipeline.Block) error {
	err := l.source.Next(ctx, block)
	if err == nil {
		l.cut += int64(len(block.Data))
		l.end = block.End
	}
	return err
}

// count returns how many rows there are, as far as the first look tells.
func (l *look) count(ctx context.Context) (Rows, error) {
	if l.whole {
		return Rows{Count: l.seen, Exact: true}, nil
	}
	if l.info.Rows > 0 {
		return Rows{Count: l.info.Rows, Exact: true}, nil
	}
	if rows := l.stated(); rows >= l.seen {
		return Rows{Count: rows, Stated: true}, nil
	}
	if err := l.gauge(ctx); err != nil {
		return Rows{}, err
	}
	switch {
	case l.whole:
		return Rows{Count: l.seen, Exact: true}, nil
	case l.info.Size <= 0 || l.end <= 0 || l.seen == 0:
		return Rows{Count: -1}, nil
	}
	n := float64(l.seen) * float64(l.info.Size) / float64(l.end)
	if l.decoded > 0 {
		n *= float64(l.cut) / float64(l.decoded)
	}
	return Rows{Count: max(rounded(n), l.seen)}, nil
}

// gauge cuts some blocks more, which tells how much of the input a row takes:
// compressed input is not the same throughout, and detection has read ahead.
func (l *look) gauge(ctx context.Context) error {
	var block pipeline.Block
	for l.decoded > 0 && l.cut < gaugeBytes {
		err := l.next(ctx, &block)
		if err == io.EOF {
			l.whole = l.cut == l.decoded
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stated returns how many rows the sheet says it has below its header, or -1.
func (l *look) stated() int64 {
	for _, sheet := range l.info.Sheets {
		if sheet.Name == l.info.Sheet && sheet.Rows >= 0 {
			return sheet.Rows - l.info.HeaderRow
		}
	}
	return -1
}

// rounded returns n to two digits, which is as much as an estimate knows.
func rounded(n float64) int64 {
	unit := math.Pow10(max(int(math.Log10(max(n, 1)))-1, 0))
	return int64(math.Round(n/unit) * unit)
}

// finish looks into all rows that are left, on every processor.
func (l *look) finish(ctx context.Context, update func(pipeline.Progress)) error {
	var parts []*survey
	run := pipeline.Run{
		Source: l.source, Schema: &pipeline.Schema{}, Progress: update,
		Steps: func() []pipeline.Step {
			part := l.survey.plan.newSurvey(false)
			parts = append(parts, part)
			return []pipeline.Step{part}
		},
	}
	_, err := run.Do(ctx)
	for _, part := range parts {
		l.survey.merge(part)
	}
	l.whole = err == nil
	return err
}
