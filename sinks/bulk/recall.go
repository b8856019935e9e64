package bulk

import (
	"flytt/pipeline"
)

// Recall settles those rows of c that earlier passes did, and those that they left in
// doubt. It sends nothing and looks nothing up. Of the chunk that the journal knows
// there may be the first rows only: the run was stopped before the others were read.
func (s *Import) Recall(c *pipeline.Chunk) error {
	if s.engine.options.Journal == nil {
		return nil
	}
	w := s.writers.Get().(*chunkWriter)
	defer s.writers.Put(w)
	return w.recall(c)
}

// downgrade turns the faults of row into warnings.
func (r *chunkRows) downgrade(row int32) {
	r.downgraded[row] = true
	for _, at := range r.errorsOf(row) {
		r.chunk.Problems[at].Severity = pipeline.Warning
	}
}
