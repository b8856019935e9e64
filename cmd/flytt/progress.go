package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"flytt/internal/run"
	"flytt/internal/text"
)

// logEvery is how often progress is told where there is no terminal.
const logEvery = 10 * time.Second

// drawEvery is how often the bar is drawn.
const drawEvery = 100 * time.Millisecond

// bar is a bar on a terminal: rows, rate, and the time that remains by the share of the
// input that has been accounted for. It stays on the screen when it is over.
type bar struct {
	*progressbar.ProgressBar
	screen *screen
	size   int64 // of the input; below 0: not known
	drawn  time.Time
	last   run.Progress
}

func newBar(s *screen, size int64) *bar {
	return &bar{screen: s, size: size, ProgressBar: progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(barWriter{s}),
		progressbar.OptionSetWidth(24),
		progressbar.OptionSetPredictTime(size > 0),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionUseANSICodes(true),
	)}
}

func (b *bar) update(p run.Progress) {
	b.last = p
	if now := time.Now(); now.Sub(b.drawn) >= drawEvery {
		b.draw(now)
	}
}

func (b *bar) draw(now time.Time) {
	b.drawn = now
	b.Describe(standing(&b.last, now))
	_ = b.Set64(min(b.last.Bytes, max(b.size, 0)))
}

func (b *bar) done() {
	b.draw(time.Now())
	b.screen.leave()
}

// showBar shows how far a run has come, with a bar for each pass.
func (w *watcher) showBar(p run.Progress) {
	if w.bar == nil {
		w.bar = newBar(&w.screen, p.Size)
	}
	w.bar.update(p)
	if p.Over {
		w.bar.done()
		w.bar = nil
	}
}

// showLine says how far a run has come, now and then.
func (w *watcher) showLine(p run.Progress) {
	if w.told.IsZero() || p.Over {
		w.told = p.Started
	}
	now := time.Now()
	if p.Over || now.Sub(w.told) < logEvery {
		return
	}
	w.told = now
	w.app.say("%s\n", standing(&p, now))
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

// standing says how far a run has come.
func standing(p *run.Progress, now time.Time) string {
	rate := float64(p.Rows.Read) / max(now.Sub(p.Started).Seconds(), 0.001)
	read, speed := text.Number(p.Rows.Read), text.Number(int64(rate))
	if p.Verb == "export" && p.Rows.Rejected == 0 {
		return fmt.Sprintf("%s rows, %s rows/s", read, speed)
	}
	return fmt.Sprintf("%s rows, %s rejected, %s rows/s", read, text.Number(p.Rows.Rejected), speed)
}

// isTerminal reports whether a person is at the other end of v.
func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
