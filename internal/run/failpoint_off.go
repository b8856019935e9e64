//go:build !failpoint

package run

import (
	"flytt/sinks/bulk"
)

// withFailpoints returns j: only a build for tests can be told to die.
func withFailpoints(j bulk.Journal) bulk.Journal { return j }
