package sinks

import "flytt/pipeline"

// Of a row group are looked at the first rows of so many strides, spread evenly:
// rows that stand together, because values may repeat only close to each other.
const (
	sampleStrides = 16
	sampleRows    = 64
)

// dictionaries reports for each column whether a dictionary pays in a row group:
// whether one of sixteen of its values, in a sample, have been seen before.
func dictionaries(columns []parquetColumn, strides []*pipeline.Encoded) []bool {
	samples := make([]parquetSample, len(columns))
	for i := range samples {
		samples[i].seen = map[string]struct{}{}
	}
	step := max(1, len(strides)/sampleStrides)
	for i := 0; i < len(strides); i += step {
		rest := strides[i].Data
		for range min(sampleRows, len(strides[i].Ends)) {
			for j, c := range columns {
				rest = samples[j].add(rest, c.kind)
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
	if row[0] == 0 {
		return row[1:]
	}
	_, size := cutParquetCell(row, kind)
	s.values++
	if _, ok := s.seen[string(row[:size])]; !ok {
		s.seen[string(row[:size])] = struct{}{}
	}
	return row[size:]
}

func (s *parquetSample) repeats() bool { return s.values > 0 && len(s.seen)*16 <= s.values*15 }
