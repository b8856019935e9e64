// Package sinks is where rows go: files, and the API in bulk.
package sinks

import "flytt/pipeline"

const codeNotJSON pipeline.Code = "not_json"
