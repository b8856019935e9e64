//go:build !race

package sources

// raceDetector reports whether the tests run under the race detector.
const raceDetector = false
