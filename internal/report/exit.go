package report

// The exit codes of a run, as its summary has them.
const (
	ExitDone        = 0
	ExitRejects     = 1
	ExitUsage       = 2
	ExitMaxRejects  = 3
	ExitFatal       = 4
	ExitUncertain   = 5
	ExitInterrupted = 130
)
