package main

import (
	"testing"
	"time"

	"flytt/internal/run"
)

func TestParseAge(t *testing.T) {
	const day = 24 * time.Hour
	for s, want := range map[string]time.Duration{"30d": 30 * day, "2w": 14 * day, "12h": 12 * time.Hour, "90m": 90 * time.Minute, "0d": 0} {
		if got, err := parseAge(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "30", "d", "-3d", "-3h", "1.5d", "3y", "999999999d", "w2"} {
		if got, err := parseAge(s); run.ExitCode(err) != exitUsage {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
}
