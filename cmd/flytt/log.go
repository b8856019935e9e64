package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

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
