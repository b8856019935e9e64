package run

// The exit codes that the summary of a run has.
const (
	ExitDone        = 0
	ExitRejects     = 1
	ExitUsage       = 2
	ExitMaxRejects  = 3
	ExitFatal       = 4
	ExitUncertain   = 5
	ExitInterrupted = 130
)
