package sinks

import (
	"testing"

	"flytt/internal/guardedcsv"
	"flytt/internal/jsonobject"
	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// contactFields is a schema as the first resource has it.
func contactFields() *pipeline.Schema {
	return pipelinetest.Schema("name", "external_client.id", "title", "ssn", "org_no", "custom_id",
		"first_name", "last_name", "email", "phone_number", "organization.id")
}

func TestEncodersLeaveRowsThatAreNotPendingEmpty(t *testing.T) {
	schema := pipelinetest.Schema("a", "b")
	for name, e := range map[string]pipeline.Encoder{
		"object": jsonobject.New(schema, jsonobject.Options{}),
		"csv":    &csvEncoder{schema: schema, dialect: guardedcsv.New(',', "\n")},
	} {
		b := pipelinetest.Batch([]string{"1", "2"}, []string{"3", "4"}, []string{"5", "6"}, []string{"7", "8"})
		b.Fates = []pipeline.Fate{pipeline.Rejected, pipeline.Pending, pipeline.Skipped, pipeline.Broken}
		out := pipelinetest.Encode(t, e, b)
		for i := range b.Len() {
			if empty := len(out.Item(i)) == 0; empty != (i != 1) {
				t.Errorf("%s: row %d is %q", name, i, out.Item(i))
			}
		}
	}
}

func benchmarkBatch() *pipeline.Batch {
	row := []string{"Anna-Karin Åström", "7d444840-9dc0-11d1-b245-5ffdce74fad2", "Kontaktperson", "198501022399", pipelinetest.Null,
		"K-100234", "Anna-Karin", "Åström", "anna-karin.astrom@example.com", "+46701234567", pipelinetest.Null}
	rows := make([][]string, 1000)
	for i := range rows {
		rows[i] = row
	}
	return pipelinetest.Batch(rows...)
}

func benchmarkEncoder(b *testing.B, e pipeline.Encoder) {
	batch := benchmarkBatch()
	var out pipeline.Encoded
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		if err := e.Encode(batch, &out); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(out.Data)))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/row")
}

func BenchmarkEncodeJSONL(b *testing.B) {
	benchmarkEncoder(b, jsonobject.New(contactFields(), jsonobject.Options{End: "\n"}))
}

func BenchmarkEncodeCSV(b *testing.B) {
	benchmarkEncoder(b, &csvEncoder{schema: contactFields(), dialect: guardedcsv.New(',', "\n")})
}

func BenchmarkEncodeExcel(b *testing.B) {
	benchmarkEncoder(b, &csvEncoder{schema: contactFields(), dialect: guardedcsv.New(';', "\r\n"), excel: true})
}
