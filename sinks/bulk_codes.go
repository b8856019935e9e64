package sinks

import "flytt/pipeline"

const (
	codeRefused      pipeline.Code = "refused"
	codeRefusedChunk pipeline.Code = "refused_chunk"
	codeItemTooLarge pipeline.Code = "item_too_large"
	codeKeyConflict  pipeline.Code = "key_conflict"
	codeDuplicateKey pipeline.Code = "duplicate_key"
)

// bulkCodes documents the codes that the bulk sink notes.
var bulkCodes = []pipeline.CodeInfo{
	{Code: codeRefused, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "refused by the API",
		Fix:     "Read the API's own words in the rejects file, and correct the row."},
	{Code: codeRefusedChunk, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "refused by the API together with other rows",
		Fix:     "The API did not say which rows it minds, and too many requests would have been needed to find out; import the rejects again with a smaller --chunk-rows."},
	{Code: codeItemTooLarge, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "too large for the API on its own",
		Fix:     "Shorten the row's texts: the server does not take a request of this size."},
	{Code: codeKeyConflict, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "another record has this key",
		Fix:     "The API holds a record with the row's key and other contents; compare the two, and change the key or the record."},
	{Code: codeDuplicateKey, Stage: pipeline.Write, Severity: pipeline.Error,
		Meaning: "several records have this key",
		Fix:     "The API holds more than one record with the row's key; remove those that are too many."},
}
