package pipeline

import "slices"

// worker decodes, maps, validates and encodes units. Each belongs to one goroutine.
type worker struct {
	run     *Run
	columns int // of the source
	decoder Decoder
	steps   []Step
	encoder Encoder // nil: a dry run
	render  bool    // render the record of each unit
}

func newWorker(r *Run) *worker {
	w := &worker{run: r, columns: len(r.Source.Columns()), decoder: r.Source.Decoder()}
	if r.Steps != nil {
		w.steps = r.Steps()
	}
	if r.Sink != nil {
		w.encoder = r.Sink.Encoder()
	}
	w.render = r.Recorder != nil && !r.chunked()
	return w
}

// process makes a chunk of the block of u.
func (w *worker) process(u *unit) error {
	c := &u.chunk
	u.reset(w.columns)
	u.end = u.block.End
	if err := w.decoder.Decode(&u.block, &c.Batch); err != nil {
		return err
	}
	for _, s := range w.steps {
		if err := s.Apply(&c.Batch); err != nil {
			return err
		}
	}
	if w.encoder != nil {
		if err := w.encoder.Encode(&c.Batch, &c.Encoded); err != nil {
			return err
		}
	}
	rejectBroken(&c.Batch)
	u.valid = int64(c.Pending())
	if err := w.fill(&c.Batch); err != nil {
		return err
	}
	if w.render {
		render(w.run.Recorder, u)
	}
	return nil
}

// fill decodes the input columns that were left out so far, if somebody is going
// to look at them.
func (w *worker) fill(b *Batch) error {
	if b.DecodeRest == nil || !w.run.chunked() && !slices.Contains(b.Fates, Rejected) {
		return nil
	}
	fill := b.DecodeRest
	b.DecodeRest = nil
	return fill(b)
}

// rejectBroken makes Broken rows Rejected: only steps need to know the difference.
func rejectBroken(b *Batch) {
	if len(b.Problems) == 0 {
		return
	}
	for i, f := range b.Fates {
		if f == Broken {
			b.Fates[i] = Rejected
		}
	}
}

// render sorts the problems by row and renders the record of u.
func render(r Recorder, u *unit) {
	sortProblems(u.chunk.Problems)
	r.Render(&u.chunk, &u.rec)
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int { return int(a.Row) - int(b.Row) })
}
