package sinks

import (
	"os"
	"path/filepath"
	"time"
)

// staleAfter is how long a temporary file has to be left alone before it can be
// one that nobody writes to: between its creation and its lock another process
// may look.
const staleAfter = time.Minute

// sweep removes temporary files in dir that an output left behind when its
// process was killed: they hold rows, and nobody would ever miss them. Those
// that are still written to are locked and stay. What cannot be removed stays,
// too: it is not this output's business.
func sweep(dir string) {
	left, err := filepath.Glob(filepath.Join(literal(dir), tempPattern))
	if err != nil {
		return
	}
	for _, path := range left {
		info, err := os.Lstat(path)
		if err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > staleAfter {
			removeUnlocked(path)
		}
	}
}

// literal returns path as a pattern that matches nothing else.
func literal(path string) string {
	var out []byte
	for i := range len(path) {
		switch path[i] {
		case '*', '?', '[':
			out = append(out, '[', path[i], ']')
		default:
			out = append(out, path[i])
		}
	}
	return string(out)
}
