package sinks

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"flytt/internal/osfile"
	"flytt/pipeline"
)

// Rules of an output file:
//
//   - It appears whole or not at all. Rows go to a hidden file with a random name
//     beside it, which is synced and then renamed.
//   - Nothing is replaced unless that was asked for, and an input never is.
//   - A symbolic link is not followed: whoever can plant one would choose what is
//     overwritten.
//   - It belongs to its owner alone (0600), for it holds personal data.
//   - FileOptions.Check has a last word before it gets its name.
//   - What is no regular file (stdout, a pipe, /dev/null) has no name to be given
//     at the end: it is written to at once, and what went out is out.

type targetKind uint8

const (
	regularFile targetKind = iota
	device                 // a pipe or a character device
	standardOut
)

// target is a place for an output that has been found fit, before anything is
// created there.
type target struct {
	name      string // as messages name it
	path      string
	kind      targetKind
	info      fs.FileInfo // of a device
	stdout    io.Writer
	overwrite bool
}

// examine finds out what path is and whether it can be an output.
func examine(path string, o *FileOptions) (*target, error) {
	if path == "-" || path == "/dev/stdout" {
		return examineStdout(o)
	}
	t := &target{name: path, path: path, overwrite: o.Overwrite}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t, t.checkParent()
	case err != nil:
		return nil, t.refuse("cannot be read", "", osfile.Cause(err))
	case info.Mode()&fs.ModeSymlink != 0 && opensDescriptor(path):
		if info, err = os.Stat(path); err != nil {
			return nil, t.refuse("cannot be read", "", osfile.Cause(err))
		}
	}
	t.info = info
	return t, t.checkExisting(o)
}

func examineStdout(o *FileOptions) (*target, error) {
	t := &target{name: "stdout", kind: standardOut, stdout: o.Stdout}
	if t.stdout == nil {
		t.stdout = os.Stdout
	}
	file, ok := t.stdout.(*os.File)
	if !ok {
		return t, nil
	}
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && isInput(info, o.Inputs) {
		return nil, t.refuse("leads into the input", "write to another file", nil)
	}
	return t, nil
}

// opensDescriptor reports whether path is one of the links with which the
// system names open files, as a shell does in flytt -o >(gzip).
func opensDescriptor(path string) bool {
	return strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/") || path == "/dev/stderr"
}

func (t *target) checkParent() error {
	dir := filepath.Dir(t.path)
	info, err := os.Stat(dir)
	switch {
	case t.path == "":
		return &pipeline.UsageError{Place: "output", Cause: "no file is named"}
	case errors.Is(err, fs.ErrNotExist):
		return t.refuse("directory "+dir+" does not exist", "create it first, or check the path", nil)
	case err != nil:
		return t.refuse("directory "+dir+" cannot be read", "", osfile.Cause(err))
	case !info.IsDir():
		return t.refuse(dir+" is not a directory", "check the path", nil)
	}
	return nil
}

// checkExisting decides whether what is there already may be written to.
func (t *target) checkExisting(o *FileOptions) error {
	mode := t.info.Mode()
	switch {
	case mode&fs.ModeSymlink != 0:
		if info, err := os.Stat(t.path); err == nil && isInput(info, o.Inputs) {
			return t.refuse("is the input", "write to another file", nil)
		}
		return t.refuse("is a symbolic link", "name the file it leads to, or remove the link", nil)
	case mode.IsDir():
		return t.refuse("is a directory", "name a file in it", nil)
	case mode.IsRegular() && isInput(t.info, o.Inputs):
		return t.refuse("is the input", "write to another file", nil)
	case mode.IsRegular() && opensDescriptor(t.path):
		return t.refuse("is an open file", "use - for stdout, or name the file", nil)
	case mode.IsRegular() && !o.Overwrite:
		return t.refuse("exists already", "--overwrite replaces it", nil)
	case mode.IsRegular():
		return nil
	case mode&fs.ModeDevice != 0 && mode&fs.ModeCharDevice == 0:
		return t.refuse("is a disk", "name a file", nil)
	}
	t.kind = device
	return nil
}

func (t *target) refuse(what, hint string, err error) error {
	return &pipeline.UsageError{Place: t.name, Cause: what, Hint: hint, Err: err}
}

// isInput reports whether info is of one of the files at paths, through
// whatever links.
func isInput(info fs.FileInfo, paths []string) bool {
	for _, path := range paths {
		look := func() (fs.FileInfo, error) { return os.Stat(path) }
		if path == "-" {
			look = os.Stdin.Stat
		}
		if other, err := look(); err == nil && other.Mode().IsRegular() && os.SameFile(info, other) {
			return true
		}
	}
	return false
}

// tempPattern is what temporary files are called.
const tempPattern = ".flytt-*.tmp"

// open makes an output of the target.
func (t *target) open() (*output, error) {
	switch t.kind {
	case standardOut:
		return newOutput(t, t.stdout, nil, ""), nil
	case device:
		return t.openDevice()
	}
	dir := filepath.Dir(t.path)
	sweep(dir)
	temp := filepath.Join(dir, strings.Replace(tempPattern, "*", rand.Text(), 1))
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, t.refuse("cannot be created", "check who may write to its directory", osfile.Cause(err))
	}
	if err != nil {
		return nil, t.failed("create", err)
	}
	lock(file)
	return newOutput(t, file, file, temp), nil
}

func (t *target) openDevice() (*output, error) {
	file, err := os.OpenFile(t.path, os.O_WRONLY, 0)
	if err != nil {
		return nil, t.refuse("cannot be opened", "", osfile.Cause(err))
	}
	info, err := file.Stat()
	if err == nil && !os.SameFile(info, t.info) {
		err = errors.New("changed while it was opened")
	}
	if err != nil {
		return nil, errors.Join(t.failed("open", err), file.Close())
	}
	return newOutput(t, file, file, ""), nil
}

func (t *target) failed(act string, err error) error {
	return fmt.Errorf("%s: %s: %w", t.name, act, osfile.Cause(err))
}

// output is a file being written.
type output struct {
	*target
	w     io.Writer    // the tally, or what compresses on the way there
	tally *tally       // what leads to the file
	zip   compressor   // nil: not compressed, or done
	file  *os.File     // nil: it is not ours to close
	temp  string       // name until commit; empty where the target is written at once
	check func() error // nil: none
	done  bool         // it has got its name
}

func newOutput(t *target, w io.Writer, file *os.File, temp string) *output {
	o := &output{target: t, tally: &tally{to: w}, file: file, temp: temp}
	o.w = o.tally
	return o
}

// prepare sets the output up as o asks, before anything is written.
func (o *output) prepare(options *FileOptions, c *compression) (err error) {
	o.check = options.Check
	if options.Sum {
		o.tally.hash = sha256.New()
	}
	if c == nil {
		return nil
	}
	if o.zip, err = c.start(o.tally); err != nil {
		return o.failed("compress", err)
	}
	o.w = o.zip
	return nil
}

func (o *output) write(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if _, err := o.w.Write(data); err != nil {
		return o.failed("write", err)
	}
	return nil
}

// commit makes the output final. After an error, which is that of the check as
// it is if that refuses, abort is to be called.
func (o *output) commit() error {
	if o.check != nil {
		if err := o.check(); err != nil {
			return err
		}
	}
	if err := o.finish(); err != nil {
		return err
	}
	if o.temp == "" {
		return o.close()
	}
	if err := o.file.Sync(); err != nil {
		return o.failed("sync", err)
	}
	if err := o.close(); err != nil {
		return err
	}
	if err := o.checkUnchanged(); err != nil {
		return err
	}
	if err := os.Rename(o.temp, o.path); err != nil {
		return o.failed("rename", err)
	}
	o.done = true
	if err := osfile.SyncDirectory(filepath.Dir(o.path)); err != nil {
		return o.failed("sync directory", err)
	}
	return nil
}

// finish writes what compression holds back.
func (o *output) finish() error {
	if o.zip == nil {
		return nil
	}
	zip := o.zip
	o.zip = nil
	if err := zip.finish(); err != nil {
		return o.failed("write", err)
	}
	return nil
}

// checkUnchanged refuses to replace what came to be while rows were written.
func (o *output) checkUnchanged() error {
	info, err := os.Lstat(o.path)
	if err != nil || o.overwrite && info.Mode().IsRegular() {
		return nil
	}
	return fmt.Errorf("%s: rename: %w while it was written", o.name, fs.ErrExist)
}

func (o *output) close() error {
	if o.file == nil {
		return nil
	}
	file := o.file
	o.file = nil
	if err := file.Close(); err != nil {
		return o.failed("close", err)
	}
	return nil
}

// abort removes what was written, if that is possible, and reports whether it
// is gone.
func (o *output) abort() (undone bool, err error) {
	o.tally.stopped.Store(true)
	if o.zip != nil {
		o.zip.discard()
		o.zip = nil
	}
	err = o.close()
	if o.temp == "" || o.done {
		return false, err
	}
	if err := os.Remove(o.temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return true, o.failed("remove "+o.temp, err)
	}
	return true, nil
}
