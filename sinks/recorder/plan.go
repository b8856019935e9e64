package recorder

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"flytt/pipeline"
)

// These are what package bulk notes of the rows of a plan, and documents.
const (
	codeWouldChange       pipeline.Code = "would_change"
	codeDuplicateOfRecord pipeline.Code = "duplicate_of_record"
	codeDuplicateInFile   pipeline.Code = "duplicate_in_file"
)

// planColumns is the head of plan.csv.
var planColumns = []string{"row", "key", "action", "id", "fields", "codes"}

// plannedCounts counts rows that are duplicates.
type plannedCounts struct{ inFile, ofRecord atomic.Int64 }

// Duplicates returns how many of the rows that would be rejected are duplicates of others
// of the file, and how many of those that would create a record are duplicates of one that
// exists.
func (r *Recorder) Duplicates() (inFile, ofRecord int64) {
	return r.planned.inFile.Load(), r.planned.ofRecord.Load()
}

// appendPlanned appends what would become of row: the action, the id of the record
// that it changes or is like, the fields that would change, and the codes of what
// is wrong with it, or like.
func (r *Recorder) appendPlanned(dst []byte, c *pipeline.Chunk, row int, problems []pipeline.Problem) []byte {
	var fields, codes []string
	for i := range problems {
		p := &problems[i]
		switch {
		case p.Code == codeWouldChange:
			if p.Field >= 0 {
				fields = append(fields, r.options.Fields[p.Field].Name)
			}
		case p.Severity == pipeline.Error, p.Code == codeDuplicateOfRecord:
			if !slices.Contains(codes, string(p.Code)) {
				codes = append(codes, string(p.Code))
			}
		}
	}
	d := r.dialect
	dst = strconv.AppendInt(dst, c.Rows[row], 10)
	dst = append(dst, d.Delimiter)
	if c.Keys.Len() > row {
		dst = d.AppendGuarded(dst, c.Keys.Value(row))
	}
	dst = append(append(dst, d.Delimiter), r.action(c.Fates[row], codes)...)
	dst = append(dst, d.Delimiter)
	if c.IDs.Len() > row {
		dst = d.AppendGuarded(dst, c.IDs.Value(row))
	}
	for _, list := range [][]string{fields, codes} {
		dst = append(append(dst, d.Delimiter), strings.Join(list, " ")...)
	}
	return append(dst, d.End...)
}

// action names what would become of a row.
func (r *Recorder) action(fate pipeline.Fate, codes []string) string {
	switch fate {
	case pipeline.Written:
		if slices.Contains(codes, string(codeDuplicateOfRecord)) {
			r.planned.ofRecord.Add(1)
			return string(codeDuplicateOfRecord)
		}
		return "create"
	case pipeline.Updated:
		return "update"
	case pipeline.Rejected, pipeline.Broken:
		if slices.Contains(codes, string(codeDuplicateInFile)) {
			r.planned.inFile.Add(1)
			return string(codeDuplicateInFile)
		}
		return "reject"
	case pipeline.Existing:
		return pipeline.Skipped.String()
	}
	return fate.String()
}
