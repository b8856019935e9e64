//go:build failpoint

package main

import (
	"os"

	"flytt/internal/run"
)

// A build for tests dies at a point that the environment names.
func init() { run.Failpoint = os.Getenv("FLYTT_FAILPOINT") }
