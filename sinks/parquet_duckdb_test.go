package sinks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// duckDB runs queries by the script below, with whatever node and DuckDB there
// are: npm install @duckdb/node-api, and NODE_PATH to where that went.
const duckDB = `
const { DuckDBInstance } = require('@duckdb/node-api');
(async () => {
  const c = await (await DuckDBInstance.create(':memory:')).connect();
  await c.run("SET TimeZone = 'UTC'");
  for (const query of process.argv.slice(1)) {
    const result = await c.runAndReadAll(query);
    console.log(JSON.stringify(result.getRowsJson()));
  }
})().catch(e => { console.error(e.message); process.exit(1); });`

// askDuckDB returns the rows of each query, every cell as text. The test is
// skipped where DuckDB is not found.
func askDuckDB(t *testing.T, queries ...string) [][][]any {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("DuckDB does not check what we write: there is no node")
	}
	if err := exec.Command(node, "-e", "require('@duckdb/node-api')").Run(); err != nil {
		t.Skip("DuckDB does not check what we write: node finds no @duckdb/node-api (set NODE_PATH)")
	}
	cmd := exec.Command(node, append([]string{"-e", duckDB, "--"}, queries...)...)
	var out, failure bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failure
	if err := cmd.Run(); err != nil {
		t.Fatalf("DuckDB: %v\n%s", err, &failure)
	}
	var results [][][]any
	for d := json.NewDecoder(&out); d.More(); {
		var rows [][]any
		if err := d.Decode(&rows); err != nil {
			t.Fatal(err)
		}
		results = append(results, rows)
	}
	return results
}

// parquetFile writes data to a file and returns its path as SQL has it.
func parquetFile(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.parquet")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return "'" + strings.ReplaceAll(path, "'", "''") + "'"
}

func TestDuckDBReadsTypesAndValues(t *testing.T) {
	schema := &pipeline.Schema{Fields: []pipeline.Field{
		{Name: "name"}, {Name: "external_client.id", Type: pipeline.UUID}, {Name: "born", Type: pipeline.Date},
		{Name: "seen_at", Type: pipeline.DateTime}, {Name: "floors", Type: pipeline.Integer},
		{Name: "area", Type: pipeline.Number}, {Name: "active", Type: pipeline.Boolean}, {Name: "extra", Type: pipeline.JSON},
	}}
	id, long := "7d444840-9dc0-11d1-b245-5ffdce74fad2", strings.Repeat("å", 100_000)
	o := &FileOptions{Creator: "flytt version 1.2", Metadata: map[string]string{"flytt.resource": "externalclient"}}
	data, c := writeParquet(t, schema, o,
		[]string{"Åsa Öberg", id, "1900-01-01", "2024-02-29T23:30:00.123456+01:00", "9223372036854775807", "41.5", "true", `{"a":[1]}`},
		[]string{"", pipelinetest.Null, "9999-12-31", "1900-01-01T00:00:00Z", "-1", "-0.1", "false", "null"},
		[]string{pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null},
		[]string{long, id, "0001-01-01", "9999-12-31T23:59:59.999999Z", "0", "1e300", pipelinetest.Null, `"ö"`},
		[]string{"bad", id, "2024-02-30", pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null, pipelinetest.Null},
	)
	if c.Fates[4] != pipeline.Rejected {
		t.Errorf("30 February is %v", c.Fates[4])
	}
	file := parquetFile(t, data)
	got := askDuckDB(t,
		"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM "+file+")",
		"SELECT * REPLACE (if(length(name) > 100, length(name)::VARCHAR, name) AS name, seen_at::VARCHAR AS seen_at, born::VARCHAR AS born, extra::VARCHAR AS extra) FROM "+file,
		"SELECT created_by, num_rows FROM parquet_file_metadata("+file+")",
		"SELECT decode(key), decode(value) FROM parquet_kv_metadata("+file+")",
	)
	want := [][][]any{
		{{"name", "VARCHAR"}, {"external_client.id", "VARCHAR"}, {"born", "DATE"}, {"seen_at", "TIMESTAMP WITH TIME ZONE"},
			{"floors", "BIGINT"}, {"area", "DOUBLE"}, {"active", "BOOLEAN"}, {"extra", "JSON"}},
		{
			{"Åsa Öberg", id, "1900-01-01", "2024-02-29 22:30:00.123456+00", "9223372036854775807", 41.5, true, `{"a":[1]}`},
			{"", nil, "9999-12-31", "1900-01-01 00:00:00+00", "-1", -0.1, false, "null"},
			{nil, nil, nil, nil, nil, nil, nil, nil},
			{"100000", id, "0001-01-01", "9999-12-31 23:59:59.999999+00", "0", 1e300, nil, `"ö"`},
		},
		{{"flytt version 1.2", "4"}},
		{{"flytt.resource", "externalclient"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDuckDBFindsRowsByStatistics(t *testing.T) {
	const rows = 2*parquetGroupRows + 1000
	file := parquetFile(t, manyRows(t, mixedSchema(), rows, 1500, mixedRow))
	got := askDuckDB(t,
		"SELECT count(*), count(seen), count(DISTINCT email), min(n), max(n), count(*) FILTER (town = '') FROM "+file,
		"SELECT email FROM "+file+fmt.Sprintf(" WHERE n = %d", -parquetGroupRows),
		"SELECT n FROM "+file+fmt.Sprintf(" WHERE email = 'user%d@example.se'", rows-1),
		"SELECT count(DISTINCT row_group_id), bool_and(compression = 'ZSTD'), bool_and(stats_min_value IS NOT NULL) FROM parquet_metadata("+file+")",
	)
	n := fmt.Sprint(rows)
	want := [][][]any{
		{{n, fmt.Sprint((rows + 2) / 3), n, fmt.Sprint(1 - rows), "0", fmt.Sprint(rows / 3)}},
		{{fmt.Sprintf("user%d@example.se", parquetGroupRows)}},
		{{fmt.Sprint(1 - rows)}},
		{{"3", true, true}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDuckDBReadsAFileWithoutRows(t *testing.T) {
	data, _ := writeParquet(t, mixedSchema(), nil)
	file := parquetFile(t, data)
	got := askDuckDB(t, "SELECT count(*) FROM "+file, "SELECT count(*) FROM (DESCRIBE SELECT * FROM "+file+")")
	if diff := cmp.Diff([][][]any{{{"0"}}, {{"4"}}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
