// Makes the files duckdb-*.parquet, and for each kind of file here a .jsonl with
// what DuckDB reads in it, which parquet_test.go compares with: the kind is its
// name up to the second dash. It needs
// @duckdb/node-api: node make.mjs (1.5.6 made what is committed).
//
// The files apache-*.parquet were written by others (Impala, parquet-mr, arrow,
// parquet-cpp): they come from github.com/apache/parquet-testing, by way of
// parquet-go, under the Apache License 2.0.
import { readdirSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const db = await (await DuckDBInstance.create(':memory:')).connect();
await db.run("SET threads = 1; SET TimeZone = 'UTC'; SELECT setseed(0.5)");

await db.run(`CREATE TYPE mood AS ENUM ('glad', 'trött', 'arg')`);
await db.run(`CREATE TABLE types AS SELECT
  i AS row,
  i % 3 = 0 AS boolean,
  (i % 256 - 128)::TINYINT AS tinyint, (i * 131 - 20000)::SMALLINT AS smallint,
  (i * 7340033 - 1000000000)::INTEGER AS integer, (i * 9000000000000007 - 999999999999999999)::BIGINT AS bigint,
  (i % 256)::UTINYINT AS utinyint, (i * 200)::USMALLINT AS usmallint, (i * 14000000)::UINTEGER AS uinteger,
  (18446744073709551615 - i)::UBIGINT AS ubigint,
  (i / 7 - 20)::FLOAT AS "float", i / 7 - 20 AS "double",
  (i / 8 - 10)::DECIMAL(4,1) AS decimal4, (i / 4 - 10)::DECIMAL(9,2) AS decimal9,
  (i / 16 - 10)::DECIMAL(18,4) AS decimal18, (i::DECIMAL(38,10) * 12345678901234567 - 10)::DECIMAL(38,10) AS decimal38,
  DATE '1899-12-30' + (i * 211)::INTEGER AS date, TIME '00:00:00' + INTERVAL (i * 271828) MILLISECOND AS time,
  (TIMESTAMP '1940-01-01 00:00:00' + INTERVAL (i * 86399123) MILLISECOND)::TIMESTAMP_MS AS timestamp_ms,
  TIMESTAMP '1940-01-01 00:00:00' + INTERVAL (i * 86399123457) MICROSECOND AS timestamp_us,
  make_timestamp_ns(1234567890123456789 + i * 1000000007) AS timestamp_ns,
  (TIMESTAMP '2024-02-29 23:59:59.999' + INTERVAL (i) DAY)::TIMESTAMPTZ AS timestamptz,
  ('00000000-0000-4000-8000-' || lpad(i::VARCHAR, 12, '0'))::UUID AS uuid,
  CASE WHEN i % 5 = 0 THEN NULL ELSE '{"a": [' || i || ', null], "å": "ö"}' END::JSON AS json,
  CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'Åsa "Kulan" ' || chr(10) || ' Öberg ' || i END AS text,
  (['glad', 'trött', 'arg'])[1 + i % 3]::mood AS mood,
  CASE WHEN i % 2 = 0 THEN {'street': 'Gatan ' || i, 'geo': {'lat': i / 4, 'lon': CASE WHEN i % 4 = 0 THEN NULL ELSE i END}} END AS address,
  CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN [] ELSE [i, NULL, i + 1] END AS numbers,
  CASE i % 5 WHEN 0 THEN [] ELSE [{'name': 'n' || i, 'tags': ['a', NULL, 'b"' || i]}, NULL, {'name': NULL, 'tags': []}] END AS people,
  CASE i % 3 WHEN 0 THEN NULL ELSE MAP {'k' || i: [i], 'z': NULL} END AS dict,
  [[1, 2], [], NULL, [i]] AS matrix,
  NULL::INTEGER AS nothing
FROM range(32) t(i)`);
await db.run(`CREATE TABLE register AS SELECT i AS nr, 'Kund ' || (i % 7) AS name,
  CASE WHEN i % 11 > 0 THEN md5(i::VARCHAR) END AS hash, i % 2 = 0 AS even FROM range(5000) t(i)`);
await db.run(`CREATE TABLE small AS SELECT * FROM register WHERE nr < 200`);

const files = {
  'types-zstd': ['types', 'COMPRESSION zstd'],
  'types-v2-snappy': ['types', 'COMPRESSION snappy, PARQUET_VERSION v2'],
  'register-groups': ['(SELECT nr, name, even FROM register)', 'COMPRESSION zstd, ROW_GROUP_SIZE 2048'],
  'small-uncompressed': ['small', 'COMPRESSION uncompressed'],
  'small-gzip': ['small', 'COMPRESSION gzip'],
  'small-brotli': ['small', 'COMPRESSION brotli'],
  'small-lz4': ['small', 'COMPRESSION lz4_raw, PARQUET_VERSION v2'],
  'interval': [`(SELECT i AS nr, INTERVAL (i) DAY AS lease FROM range(10) t(i))`, 'COMPRESSION zstd'],
  'faults': [`(SELECT i AS nr, CASE WHEN i % 3 = 1 THEN '\\xC3'::BLOB ELSE 'text'::BLOB END AS note,
    DATE '9999-12-30' + i::INTEGER AS until, [CASE WHEN i = 4 THEN '\\xFF'::BLOB ELSE 'x'::BLOB END] AS list FROM range(6) t(i))`, 'COMPRESSION zstd'],
  'zero': ['(SELECT * FROM small WHERE nr < 0)', 'COMPRESSION zstd'],
};
for (const [name, [table, options]] of Object.entries(files)) {
  await db.run(`COPY ${table} TO 'duckdb-${name}.parquet' (FORMAT parquet, ${options})`);
}
const kind = (file) => file.replace('.parquet', '').split('-').slice(0, 2).join('-');
for (const file of readdirSync('.').filter((f) => f.endsWith('.parquet') && !/interval|zero|register|faults/.test(f))) {
  await db.run(`COPY (SELECT to_json(t)::VARCHAR FROM read_parquet('${file}', binary_as_string = true) t)
    TO '${kind(file)}.jsonl' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')`);
}
