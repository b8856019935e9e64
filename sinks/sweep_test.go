package sinks

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"flytt/pipeline"
)

func TestAnOutputSweepsWhatAKilledOneLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]*")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(name string, age time.Duration) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("rows"), 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stale, young, other := put(".flytt-AAAA.tmp", time.Hour), put(".flytt-BBBB.tmp", 0), put("flytt-CCCC.tmp", time.Hour)

	schema := &pipeline.Schema{Fields: []pipeline.Field{{Name: "a"}}}
	first, err := Create(filepath.Join(dir, "first.csv"), schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	open, err := filepath.Glob(filepath.Join(literal(dir), tempPattern))
	if err != nil || len(open) != 2 {
		t.Fatalf("%d temporary files, want the young one and the one in use: %v", len(open), err)
	}
	then := time.Now().Add(-time.Hour)
	for _, path := range open {
		if path != young {
			if err := os.Chtimes(path, then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
	second, err := Create(filepath.Join(dir, "second.csv"), schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, sink := range []pipeline.Sink{first, second} {
		if err := sink.Commit(t.Context()); err != nil {
			t.Error(err)
		}
	}
	for path, want := range map[string]bool{stale: false, young: true, other: true, filepath.Join(dir, "first.csv"): true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s: there is %t, want %t", filepath.Base(path), err == nil, want)
		}
	}
}
