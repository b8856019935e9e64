package osfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"flytt/internal/osfile"
)

func TestCauseIsWithoutPaths(t *testing.T) {
	for _, err := range []error{fs.ErrInvalid, &fs.PathError{Path: "a", Err: fs.ErrInvalid}, &os.LinkError{Old: "a", New: "b", Err: fs.ErrInvalid}} {
		if got := osfile.Cause(err); got != fs.ErrInvalid {
			t.Errorf("%v is %v", err, got)
		}
	}
}

func TestNamelessFilesLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	f, err := osfile.Nameless(dir, "x-*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("secret"); err != nil {
		t.Error(err)
	}
	if err := osfile.CloseNameless(f); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestReplaceIsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path, temp := filepath.Join(dir, "a"), filepath.Join(dir, ".a")
	for _, text := range []string{"first", "second"} {
		if err := osfile.Replace(path, temp, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q (%v), want %q", got, err, text)
		}
	}
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := osfile.Replace(taken, temp, nil); err == nil {
		t.Error("a directory was replaced")
	}
	if _, err := os.Stat(temp); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file on the way is left: %v", err)
	}
	if err := osfile.WriteNew(path, []byte("third")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("WriteNew over a file: %v", err)
	}
}

func TestNotFoundHintNamesAFileBeside(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"kontakter.csv", "fastigheter.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "hyresavtal.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"kontaktr.csv":     "did you mean " + filepath.Join(dir, "kontakter.csv") + "?",
		"nothing-like.txt": "otherwise",
		"hyresavtl.csv":    "otherwise", // a directory
		"none/x.csv":       "otherwise",
	} {
		if got := osfile.NotFoundHint(filepath.Join(dir, name), "otherwise"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestReadJSONShowsNoContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	type thing struct{ Name string }
	read := func() (*thing, error) {
		return osfile.ReadJSON(path, "a.json", "a thing", func(v *thing) bool { return v.Name != "" })
	}
	if v, err := read(); v != nil || err != nil {
		t.Errorf("without a file: %v, %v", v, err)
	}
	for text, want := range map[string]string{`{"Name":"x"}`: "", `{"Name":17}`: "a.json: not a thing", `{}`: "a.json: not a thing", `{"Name":"x"`: "a.json: not a thing"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := read()
		if want == "" && (err != nil || v.Name != "x") || want != "" && (v != nil || err == nil || err.Error() != want) {
			t.Errorf("%s: %v, %v, want %q", text, v, err, want)
		}
	}
}

func TestOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions do not say so there")
	}
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: true, 0o604: true} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := osfile.OthersCanRead(info); got != want {
			t.Errorf("%o: %t", mode, got)
		}
	}
}
