package sinks

import (
	"flytt/pipeline"
)

// Of a row group are looked at so many stretches of so many rows each, spread
// evenly: stretches, because values may repeat only close to each other.
const (
	sampleStretches = 16
	sampleRows      = 256
)

// dictionaries reports for each column whether a dictionary pays in a row group:
// whether at least a fifth of its values, in a sample, have been seen before.
func dictionaries(columns []parquetColumn, rows *pipeline.Encoded) []bool {
	samples := make([]parquetSample, len(columns))
	for i := range samples {
		samples[i].seen = map[string]struct{}{}
	}
	total := len(rows.Ends)
	step := max(sampleRows, total/sampleStretches)
	for from := 0; from < total; from += step {
		for row := from; row < min(from+sampleRows, total); row++ {
			rest := rows.Item(row)
			for i, c := range columns {
				rest = samples[i].add(rest, c.kind)
			}
		}
	}
	out := make([]bool, len(columns))
	for i, c := range columns {
		out[i] = c.kind != parquetBoolean && samples[i].repeats()
	}
	return out
}

// parquetSample counts values and different values of a column.
type parquetSample struct {
	values int
	seen   map[string]struct{}
}

// add counts the first cell of row, and returns what comes after it.
func (s *parquetSample) add(row []byte, kind parquetKind) (rest []byte) {
	v, rest := cutParquetCell(row, kind, 0)
	if v.IsNull() {
		return rest
	}
	s.values++
	cell := row[:len(row)-len(rest)]
	if _, ok := s.seen[string(cell)]; !ok {
		s.seen[string(cell)] = struct{}{}
	}
	return rest
}

func (s *parquetSample) repeats() bool { return s.values > 0 && len(s.seen)*5 <= s.values*4 }
