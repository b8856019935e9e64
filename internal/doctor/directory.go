package doctor

import (
	"os"
	"path/filepath"

	"flytt/internal/osfile"
	"flytt/internal/text"
)

// littleSpace is how much room on the disk is little: what a run writes down is
// about as large as its input.
const littleSpace = 1 << 30

// Directory checks that runs can be written down in the directory runs, which is made if
// it is not there.
func Directory(runs string) Check {
	c := Check{Group: Settings, Name: "run directory", Status: OK}
	parent := existing(runs)
	probe, err := os.MkdirTemp(parent, ".flytt-doctor-*")
	if err == nil {
		err = os.Remove(probe)
	}
	if err != nil {
		c.Status, c.Text = Fail, runs+" cannot be written: "+osfile.Cause(err).Error()
		c.Fix = "work in a directory of your own, or give each run its --run-dir"
		return c
	}
	c.Text = runs + " can be written"
	free, known := freeSpace(parent)
	if known {
		c.Text += "; " + text.Size(int64(free)) + " free"
	}
	if known && free < littleSpace {
		c.Status, c.Fix = Warn, "a run writes about as much as it reads: make room"
	}
	return c
}

// existing returns dir, or the nearest directory above it that is there.
func existing(dir string) string {
	for {
		info, err := os.Stat(dir)
		above := filepath.Dir(dir)
		if err == nil && info.IsDir() || above == dir {
			return dir
		}
		dir = above
	}
}
