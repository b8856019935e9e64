package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"flytt/internal/text"
	"flytt/pipeline"
)

// logEvery is how often progress is told where there is no terminal.
const logEvery = 10 * time.Second

// drawEvery is how often the bar is drawn.
const drawEvery = 100 * time.Millisecond

// progress tells how far a run has come: a bar on a terminal, a line every ten
// seconds elsewhere.
type progress struct {
	update func(pipeline.Progress)
	done   func()
}

func (j *job) progress() progress {
	switch {
	case j.flags.quiet:
		return progress{update: func(pipeline.Progress) {}, done: func() {}}
	case isTerminal(j.stderr) && !j.flags.noProgress:
		return j.bar()
	}
	return j.lines()
}

// bar draws a bar on stderr: rows, rate, and the time that remains by the share
// of the input that has been accounted for. It stays on the screen when the run is
// over.
func (j *job) bar() progress {
	size := int64(-1) // a spinner
	if j.info != nil {
		size = j.info.Size
	}
	bar := progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(barWriter{&j.screen}),
		progressbar.OptionSetWidth(24),
		progressbar.OptionSetPredictTime(size > 0),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionUseANSICodes(true),
	)
	var last pipeline.Progress
	var drawn time.Time
	draw := func(now time.Time) {
		drawn = now
		bar.Describe(j.standing(last, now))
		_ = bar.Set64(min(last.Bytes, max(size, 0)))
	}
	return progress{
		update: func(p pipeline.Progress) {
			last = p
			if now := time.Now(); now.Sub(drawn) >= drawEvery {
				draw(now)
			}
		},
		done: func() {
			draw(time.Now())
			j.screen.leave()
		},
	}
}

// screen is where the bar and the lines of the log meet: a line takes the place of
// the bar, which is drawn again below it. It is for concurrent use.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	drawn bool // the bar stands on the line of the cursor
}

// eraseLine goes to the beginning of the line and empties it.
const eraseLine = "\r\x1b[2K"

// Write writes lines.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn {
		s.drawn = false
		if _, err := io.WriteString(s.w, eraseLine); err != nil {
			return 0, err
		}
	}
	return s.w.Write(p)
}

// leave has the bar stay where it is.
func (s *screen) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drawn = false
	_, _ = io.WriteString(s.w, "\n\n")
}

// barWriter draws the bar on a screen.
type barWriter struct{ *screen }

func (b barWriter) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drawn = true
	return b.w.Write(p)
}

// lines logs how far the run has come, now and then.
func (j *job) lines() progress {
	told := j.started
	return progress{
		update: func(p pipeline.Progress) {
			now := time.Now()
			if now.Sub(told) < logEvery {
				return
			}
			told = now
			j.log.Info("progress", "rows", p.Rows.Read, "rejected", p.Rows.Rejected, "bytes", p.Bytes)
			if !j.flags.json {
				j.say("%s\n", j.standing(p, now))
			}
		},
		done: func() {},
	}
}

func (j *job) standing(p pipeline.Progress, now time.Time) string {
	rate := float64(p.Rows.Read) / max(now.Sub(j.started).Seconds(), 0.001)
	read, speed := text.Number(p.Rows.Read), text.Number(int64(rate))
	if j.verb == "export" && p.Rows.Rejected == 0 {
		return fmt.Sprintf("%s rows, %s rows/s", read, speed)
	}
	return fmt.Sprintf("%s rows, %s rejected, %s rows/s", read, text.Number(p.Rows.Rejected), speed)
}

// isTerminal reports whether a person is at the other end of v.
func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
