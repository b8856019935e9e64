//go:build race

package sources

// raceDetector reports whether the tests run under the race detector, which takes
// memory and time of its own.
const raceDetector = true
