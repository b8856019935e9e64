package run

import (
	"errors"
	"slices"

	"flytt/internal/advice"
	"flytt/internal/report"
	"flytt/mappings"
	"flytt/pipeline"
	"flytt/sources"
)

// severity has the exit codes in the order in which they count.
var severity = []int{report.ExitUsage, report.ExitInterrupted, report.ExitFatal, report.ExitUncertain, report.ExitMaxRejects, report.ExitRejects, report.ExitDone}

// ExitCode returns the exit code that counts of all the errors joined in err.
func ExitCode(err error) int {
	if told, ok := err.(*advice.NextError); ok {
		return ExitCode(told.Err)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return exitCodeOf(err)
	}
	code := report.ExitDone
	for _, each := range joined.Unwrap() {
		code = MoreSevere(code, ExitCode(each))
	}
	return code
}

// exitCodeOf returns the exit code that err alone asks for.
func exitCodeOf(err error) int {
	var (
		used   *advice.UsageError
		unsure *advice.UncertainError
		source *sources.Error
		place  *pipeline.UsageError
		file   *mappings.FileError
	)
	switch {
	case err == nil:
		return report.ExitDone
	case errors.As(err, &used), errors.As(err, &place), errors.As(err, &file):
		return report.ExitUsage
	case errors.Is(err, pipeline.ErrInterrupted):
		return report.ExitInterrupted
	case errors.As(err, &source) && source.Usage:
		return report.ExitUsage
	case errors.As(err, &unsure):
		return report.ExitUncertain
	case errors.Is(err, pipeline.ErrMaxRejects):
		return report.ExitMaxRejects
	}
	return report.ExitFatal
}

// MoreSevere returns that of two exit codes which counts.
func MoreSevere(a, b int) int {
	if slices.Index(severity, a) < slices.Index(severity, b) {
		return a
	}
	return b
}

// exitOf returns the exit code of a run that ended with err after counts.
func exitOf(err error, counts pipeline.Counts) int {
	code := ExitCode(err)
	if counts.InDoubt > 0 {
		code = MoreSevere(code, report.ExitUncertain)
	}
	if counts.Rejected > 0 {
		code = MoreSevere(code, report.ExitRejects)
	}
	return code
}
