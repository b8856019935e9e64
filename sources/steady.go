package sources

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"flytt/pipeline"
)

// ErrChanged is what is wrong with a file that is not, to the end of its reading,
// what it was when it was opened.
var ErrChanged = errors.New("changed while it was read")

const hintChanged = "let nothing write to it while it is read; a copy of it stays as it is"

// steady is a source that reads a file. It ends in ErrChanged where the file does
// not stay what it was: every block it hands out was read before a change showed,
// and its end is that of the file.
type steady struct {
	pipeline.Source
	watch   *watch
	inPlace bool  // decoders read the file, too
	err     error // the last word
}

// steady holds s, which reads in, to what the file was.
func (in *input) steady(s pipeline.Source) pipeline.Source {
	if in.watch == nil {
		return s
	}
	return &steady{Source: s, watch: in.watch, inPlace: in.inPlace}
}

// Next implements pipeline.Source. A change explains whatever else is wrong.
func (s *steady) Next(ctx context.Context, b *pipeline.Block) error {
	err := s.err
	if err == nil {
		err = s.Source.Next(ctx, b)
		if err != nil && err == ctx.Err() {
			return err
		}
		if s.err = s.watch.check(); s.err != nil {
			err = s.err
		}
	}
	if err != nil {
		b.Data = b.Data[:0]
	}
	return err
}

// Select implements pipeline.ColumnSelector, for sources that do.
func (s *steady) Select(columns []bool) {
	if n, ok := s.Source.(pipeline.ColumnSelector); ok {
		n.Select(columns)
	}
}

// Decoder implements pipeline.Source.
func (s *steady) Decoder() pipeline.Decoder {
	d := s.Source.Decoder()
	if !s.inPlace {
		return d
	}
	return &steadyDecoder{d, s.watch}
}

// steadyDecoder reads the file as it decodes, and so may meet a change.
type steadyDecoder struct {
	pipeline.Decoder
	watch *watch
}

// Decode implements pipeline.Decoder.
func (d *steadyDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	err := d.explain(d.Decoder.Decode(block, b))
	if fill := b.DecodeRest; fill != nil {
		b.DecodeRest = func(b *pipeline.Batch) error { return d.explain(fill(b)) }
	}
	return err
}

// explain returns the change of the file, if there is one, in place of err.
func (d *steadyDecoder) explain(err error) error {
	if changed := d.watch.check(); changed != nil {
		return changed
	}
	return err
}

// watch compares a file that is open with what it was when it was opened first. It
// may be used concurrently.
type watch struct {
	path string
	file *os.File
	same func() bool // Options.Same

	mu    sync.Mutex
	open  fs.FileInfo // what is open was
	named fs.FileInfo // what path named was
}

// check returns an *Error that wraps ErrChanged if the file was written to, or
// another has its name. Where it is merely gone, what is open is still whole.
func (w *watch) check() error {
	open, err := w.file.Stat()
	if err != nil {
		return openError(w.path, err)
	}
	named, err := os.Stat(w.path)
	gone := err != nil

	w.mu.Lock()
	defer w.mu.Unlock()
	how := changed(w.open, open)
	if how == "" && !gone {
		how = changed(w.named, named)
	}
	if how == "" {
		return nil
	}
	// What same reads is what path names: that has to be what was written to.
	provable := changed(w.open, open) == "" || !gone && os.SameFile(open, named)
	if open.Size() != w.open.Size() || !provable || w.same == nil || !w.same() {
		return &Error{File: w.path, Err: fmt.Errorf("%w: %s", ErrChanged, how), Hint: hintChanged}
	}
	w.open, w.named = open, named
	return nil
}

// Unchanged returns an *Error that wraps ErrChanged if the file at path is not what
// it was.
func Unchanged(path string, was fs.FileInfo) error {
	is, err := os.Stat(path)
	if err != nil {
		return openError(path, err)
	}
	if how := changed(was, is); how != "" {
		return &Error{File: path, Err: fmt.Errorf("%w: %s", ErrChanged, how), Hint: hintChanged}
	}
	return nil
}

// changed says how a file differs from what it was; empty if nothing shows.
func changed(was, is fs.FileInfo) string {
	which := "it has"
	if !os.SameFile(was, is) {
		which = "another file has its name, with"
	}
	at := is.ModTime().Format(time.DateTime)
	switch more := is.Size() - was.Size(); {
	case more > 0:
		return fmt.Sprintf("%s %d bytes more, written %s", which, more, at)
	case more < 0:
		return fmt.Sprintf("%s %d bytes fewer, written %s", which, -more, at)
	case !is.ModTime().Equal(was.ModTime()) || !os.SameFile(was, is):
		return fmt.Sprintf("%s as many bytes, written %s", which, at)
	}
	return ""
}

// watched makes in a file that is held to what it was: now, or, if it was opened
// before, then.
func (in *input) watched(f *os.File, now fs.FileInfo, o *Options) error {
	in.watch = &watch{path: in.path, file: f, same: o.Same, open: now, named: now}
	if o.Was == nil {
		return nil
	}
	in.watch.open, in.watch.named = o.Was, o.Was
	return in.watch.check()
}
