package pipeline_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the child process of the journal tests.
func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(journalChild())
	}
	goleak.VerifyTestMain(m)
}
