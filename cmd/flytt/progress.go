package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
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
	shown  *progressbar.ProgressBar
	screen *screen
	size   int64 // of the input; below 0: not known
	drawn  time.Time
	last   run.Progress
}

func newBar(s *screen, size int64) *bar {
	return &bar{screen: s, size: size, shown: progressbar.NewOptions64(size,
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
	b.shown.Describe(standing(&b.last, now))
	_ = b.shown.Set64(min(b.last.Bytes, max(b.size, 0)))
}

func (b *bar) done() {
	b.draw(time.Now())
	b.screen.leave()
}

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

// lineHandler writes log lines for a person: what happened, and the details in
// brackets.
type lineHandler struct {
	w     io.Writer
	level slog.Leveler
	attrs []slog.Attr
}

// Enabled implements slog.Handler.
func (h *lineHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level.Level() }

// Handle implements slog.Handler.
func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var details []string
	add := func(a slog.Attr) bool {
		details = append(details, a.Key+": "+a.Value.String())
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	line := levelWord(r.Level) + ": " + r.Message
	if len(details) > 0 {
		line += " (" + strings.Join(details, "; ") + ")"
	}
	_, err := fmt.Fprintln(h.w, line)
	return err
}

func levelWord(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "error"
	case l >= slog.LevelWarn:
		return "warning"
	}
	return strings.ToLower(l.String())
}

// WithAttrs implements slog.Handler.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(c.attrs[:len(c.attrs):len(c.attrs)], attrs...)
	return &c
}

// WithGroup implements slog.Handler. Groups are not used.
func (h *lineHandler) WithGroup(string) slog.Handler { return h }
