//go:build race

package journal

// raceDetector is on: processes start slowly, and fewer are started.
const raceDetector = true
