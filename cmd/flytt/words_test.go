package main

import (
	"strings"
	"testing"

	"flytt/internal/advice"
	"flytt/internal/run"
	"flytt/internal/text"
	"flytt/pipeline"
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

func TestEveryCodeHasAMeaning(t *testing.T) {
	for _, info := range run.Codes() {
		if got := run.Meaning(info.Code); got == "" || got == string(info.Code) {
			t.Errorf("%s has no meaning", info.Code)
		}
	}
}

func TestACodeMeansOneThing(t *testing.T) {
	meanings := map[pipeline.Code]string{}
	for _, c := range run.Codes() {
		if other, twice := meanings[c.Code]; twice && other != c.Meaning {
			t.Errorf("%s means %q, and %q", c.Code, other, c.Meaning)
		}
		meanings[c.Code] = c.Meaning
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
