package main

import (
	"strings"
	"testing"

	"flytt/internal/advice"
	"flytt/internal/text"
)

func TestAgainLeavesTheRunDirectoryOut(t *testing.T) {
	for _, args := range [][]string{
		{"validate", "in.csv", "--run-dir", "run", "-q"},
		{"validate", "--run-dir=run", "in.csv", "-q"},
		{"validate", "in.csv", "-q"},
		{"validate", "in.csv", "-q", "--run-dir"},
	} {
		a := &app{args: args}
		if got, want := a.typed(true), "flytt validate in.csv -q"; got != want {
			t.Errorf("after %q: %s, want %s", args, got, want)
		}
	}
}

func TestEveryCodeHasItsWords(t *testing.T) {
	known := map[string]bool{}
	for _, info := range codes() {
		known[string(info.Code)] = true
		if _, ok := text.Reasons[string(info.Code)]; !ok {
			t.Errorf("text.Reasons does not have %s", info.Code)
		}
	}
	for code := range text.Reasons {
		if !known[code] {
			t.Errorf("text.Reasons has %s, which no row can have", code)
		}
	}
}

// TestEveryTaskHasASentence holds the table to the tasks there are: each has a sentence of
// its own, which names the file where it is about one.
func TestEveryTaskHasASentence(t *testing.T) {
	said := map[string]advice.TaskName{}
	for _, name := range advice.Tasks {
		sentence := text.Task(string(name), "in.csv")
		if sentence == "" || strings.HasSuffix(sentence, ".") || strings.Contains(sentence, "FILE") {
			t.Errorf("%s: %q", name, sentence)
		}
		if other, twice := said[sentence]; twice {
			t.Errorf("%s and %s: %q", name, other, sentence)
		}
		said[sentence] = name
	}
	if got := text.Task("", ""); got != "" {
		t.Errorf("no task: %q", got)
	}
}
