package sinks

import (
	"testing"

	"flytt/pipeline/pipelinetest"
)

func TestCodesAreDocumentedOnce(t *testing.T) { pipelinetest.Documented(t, Codes) }
