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

// ErrChanged says that a file was changed or replaced between its opening and the end
// of the reading.
var ErrChanged = errors.New("changed while it was read")

const hintChanged = "let nothing write to it while it is read; a copy of it stays as it is"

// changeDetector wraps a source that reads a file. It returns ErrChanged when the file
// has changed: every block it hands out was read before a change was visible, and it
// ends only where the file does.
type changeDetector struct {
	pipeline.Source
	file    *watchedFile
	inPlace bool  // decoders read the file, too
	err     error // the change that was found; Next returns it from then on
}

// detectChanges wraps s, which reads in, in a change detector if in is a file.
func (in *input) detectChanges(s pipeline.Source) pipeline.Source {
	if in.watched == nil {
		return s
	}
	return &changeDetector{Source: s, file: in.watched, inPlace: in.inPlace}
}

// Next implements pipeline.Source. If the file has changed, that error replaces any
// other: it explains it.
func (s *changeDetector) Next(ctx context.Context, b *pipeline.Block) error {
	err := s.err
	if err == nil {
		err = s.Source.Next(ctx, b)
		if err != nil && err == ctx.Err() {
			return err
		}
		if s.err = s.file.check(); s.err != nil {
			err = s.err
		}
	}
	if err != nil {
		b.Data = b.Data[:0]
	}
	return err
}

// Select implements pipeline.ColumnSelector, for sources that do.
func (s *changeDetector) Select(columns []bool) {
	if n, ok := s.Source.(pipeline.ColumnSelector); ok {
		n.Select(columns)
	}
}

// Decoder implements pipeline.Source.
func (s *changeDetector) Decoder() pipeline.Decoder {
	d := s.Source.Decoder()
	if !s.inPlace {
		return d
	}
	return &changeDetectingDecoder{d, s.file}
}

// changeDetectingDecoder wraps a decoder that reads the file itself.
type changeDetectingDecoder struct {
	pipeline.Decoder
	file *watchedFile
}

// Decode implements pipeline.Decoder.
func (d *changeDetectingDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	err := d.explain(d.Decoder.Decode(block, b))
	if fill := b.DecodeRest; fill != nil {
		b.DecodeRest = func(b *pipeline.Batch) error { return d.explain(fill(b)) }
	}
	return err
}

// explain returns the error that the file has changed, if it has, and err otherwise.
func (d *changeDetectingDecoder) explain(err error) error {
	if changed := d.file.check(); changed != nil {
		return changed
	}
	return err
}

// watchedFile compares an open file with its state when it was first opened. It is safe
// for concurrent use.
type watchedFile struct {
	path        string
	file        *os.File
	sameContent func() bool // Options.SameContent

	mu        sync.Mutex
	openInfo  fs.FileInfo // the state of the open file
	namedInfo fs.FileInfo // the state of the file that path names
}

// check returns an *Error that wraps ErrChanged if the file was written to, or if its
// path names another file now. If the path names no file any more, the open file is
// still complete, and there is no error.
func (w *watchedFile) check() error {
	open, err := w.file.Stat()
	if err != nil {
		return openError(w.path, err)
	}
	named, err := os.Stat(w.path)
	gone := err != nil

	w.mu.Lock()
	defer w.mu.Unlock()
	how := describeChange(w.openInfo, open)
	if how == "" && !gone {
		how = describeChange(w.namedInfo, named)
	}
	if how == "" {
		return nil
	}
	// sameContent reads the file that path names: that has to be the changed file.
	provable := describeChange(w.openInfo, open) == "" || !gone && os.SameFile(open, named)
	if open.Size() != w.openInfo.Size() || !provable || w.sameContent == nil || !w.sameContent() {
		return &Error{File: w.path, Err: fmt.Errorf("%w: %s", ErrChanged, how), Hint: hintChanged}
	}
	w.openInfo, w.namedInfo = open, named
	return nil
}

// Unchanged returns an *Error that wraps ErrChanged if the file at path differs from
// was.
func Unchanged(path string, was fs.FileInfo) error {
	is, err := os.Stat(path)
	if err != nil {
		return openError(path, err)
	}
	if how := describeChange(was, is); how != "" {
		return &Error{File: path, Err: fmt.Errorf("%w: %s", ErrChanged, how), Hint: hintChanged}
	}
	return nil
}

// describeChange says how a file has changed; empty if there is no visible change.
func describeChange(was, is fs.FileInfo) string {
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

// watchFile makes in detect changes of f: since now, or, if the file was opened before,
// since then.
func (in *input) watchFile(f *os.File, now fs.FileInfo, o *Options) error {
	in.watched = &watchedFile{path: in.path, file: f, sameContent: o.SameContent, openInfo: now, namedInfo: now}
	if o.Previous == nil {
		return nil
	}
	in.watched.openInfo, in.watched.namedInfo = o.Previous, o.Previous
	return in.watched.check()
}
