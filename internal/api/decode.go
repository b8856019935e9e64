package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxObject  = 1 << 20 // bytes of one object
	maxFlush   = 4 << 20 // bytes of a page of a stream, give or take an object
	decodeRoom = 64 << 10
)

var (
	errCut     = errors.New("the answer ends in the middle")
	errNotList = errors.New("the answer is not a list of objects")
	errFailure = errors.New("the answer tells of an error in place of a list")
	errLarge   = fmt.Errorf("larger than %d MiB", maxObject>>20)
	// ErrOversized says that much more came than was asked for: the server does
	// not know paging.
	ErrOversized = errors.New("the answer is much longer than the page asked for")
)

// decoder reads the objects of an answer as they arrive, an array or one object after
// another, into a page. Its memory is bounded by the limits of the page and by one
// object. It is strict: it accepts only valid JSON in valid UTF-8 without duplicate
// names in an object.
type decoder struct {
	decodeTask
	in   limitedReader
	room *bufio.Reader
	json jsontext.Decoder
	read int // objects
	held []span
}

// decodeTask says what a decoder has to do.
type decodeTask struct {
	page    *Page
	created string       // the field with the moment of creation; "": none
	idsOnly bool         // an id may come in place of its object
	objects int          // how many may come; 0: any number
	bytes   int          // how many the page may hold; 0: any number
	perPage int          // of a stream: how many objects make a page
	flush   func() error // of a stream: hands out the page and empties it
}

type span struct{ start, end int }

var decoders = sync.Pool{New: func() any {
	return &decoder{room: bufio.NewReaderSize(nil, decodeRoom)}
}}

// decode reads body to its end. The error says what is wrong with the answer, and with
// which object, and shows nothing of it.
func decode(body io.Reader, task decodeTask) error {
	d := decoders.Get().(*decoder)
	d.decodeTask, d.read = task, 0
	d.room.Reset(body)
	d.in.reset(d.room)
	d.json.Reset(&d.in)
	err := d.answer()
	d.decodeTask = decodeTask{}
	d.room.Reset(nil)
	d.in.reset(nil)
	decoders.Put(d)
	return err
}

// answer reads an answer of any shape, recognised by its first byte.
func (d *decoder) answer() error {
	switch d.json.PeekKind() {
	case '[':
		return d.array()
	case '{':
		return d.lines()
	case '"', '0':
		if d.idsOnly {
			return d.rest()
		}
		return errNotList
	}
	switch _, err := d.json.ReadToken(); {
	case err == io.EOF:
		return nil // JSON Lines of no object
	case err != nil:
		return d.explain(err)
	}
	return errNotList
}

// array reads an array of objects, and the end of the answer after it.
func (d *decoder) array() error {
	if err := d.elements(); err != nil {
		return err
	}
	return d.end()
}

// elements reads an array of objects.
func (d *decoder) elements() error {
	if _, err := d.json.ReadToken(); err != nil {
		return d.explain(err)
	}
	for d.json.PeekKind() != ']' {
		if err := d.value(); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	d.in.mark = d.json.InputOffset()
	return d.explain(err)
}

func (d *decoder) end() error {
	switch _, err := d.json.ReadToken(); {
	case err == io.EOF:
		return nil
	case err != nil:
		return d.explain(err)
	}
	return errNotList
}

// lines reads one object after another. The first may be an envelope, if it
// stays alone.
func (d *decoder) lines() error {
	enveloped, err := d.first()
	if err != nil || enveloped {
		return err
	}
	return d.rest()
}

// rest reads values up to the end of the answer.
func (d *decoder) rest() error {
	for {
		switch err := d.value(); err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}

// value reads one object. It returns io.EOF at the end of the answer.
func (d *decoder) value() error {
	v, err := d.json.ReadValue()
	if err != nil {
		if err == io.EOF {
			return err
		}
		return d.explain(err)
	}
	d.in.mark = d.json.InputOffset()
	return d.add(v)
}

// add puts the object v into the page.
func (d *decoder) add(v []byte) error {
	bare := d.idsOnly && (v[0] == '"' || jsontext.Value(v).Kind() == '0')
	switch {
	case v[0] != '{' && !bare:
		return errNotList
	case len(v) > maxObject:
		return d.fault(errLarge)
	case d.objects > 0 && d.read == d.objects, d.bytes > 0 && len(d.page.Data)+len(v) > d.bytes:
		return ErrOversized
	}
	d.read++
	p := d.page
	o := Object{Start: uint32(len(p.Data)), End: uint32(len(p.Data) + len(v)), Created: NoTime}
	if bare {
		d.noteID(&o, v, 0, len(v))
	} else {
		d.note(&o, v)
	}
	p.Data = append(p.Data, v...)
	p.Objects = append(p.Objects, o)
	if d.flush != nil && (len(p.Objects) >= d.perPage || len(p.Data) >= maxFlush) {
		return d.flush()
	}
	return nil
}

// note finds the id and the moment of creation of the object v.
func (d *decoder) note(o *Object, v []byte) {
	left := 2
	if d.created == "" {
		left = 1
	}
	for i := jsonscan.Skip(v, 1); v[i] != '}' && left > 0; i = jsonscan.Skip(v, i) {
		nameEnd := jsonscan.ValueEnd(v, i)
		name := v[i+1 : nameEnd-1]
		i = jsonscan.Skip(v, nameEnd)
		end := jsonscan.ValueEnd(v, i)
		switch {
		case string(name) == "id":
			d.noteID(o, v, i, end)
			left--
		case d.created != "" && string(name) == d.created:
			if v[i] == '"' {
				if ns, unit, ok := moment(v[i+1 : end-1]); ok {
					o.Created, o.CreatedUnit = ns, unit
				}
			}
			left--
		}
		i = end
	}
}

// noteID notes where the id lies that v has from i to end.
func (d *decoder) noteID(o *Object, v []byte, i, end int) {
	if v[i] == '"' {
		i, end = i+1, end-1
	} else if jsontext.Value(v[i:]).Kind() != '0' {
		return
	}
	o.IDStart, o.IDEnd = o.Start+uint32(i), o.Start+uint32(end)
}

// fault adds to err which object is being read.
func (d *decoder) fault(err error) error {
	return fmt.Errorf("object %d of the answer: %w", d.read+1, err)
}

// explain turns an error of the JSON decoder into one that shows nothing of
// the answer.
func (d *decoder) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case d.in.err == errLarge:
		return d.fault(errLarge)
	case d.in.err != nil && d.in.err != io.EOF:
		return d.in.err
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errCut
	case errors.Is(err, jsontext.ErrDuplicateName):
		return d.fault(errors.New("a name appears twice"))
	case d.read > 0:
		return d.fault(errors.New("is not JSON"))
	}
	return errNotJSON
}

// limitedReader is the input of the JSON decoder. It fails on values that are too large
// before they fill the memory, and keeps what it read if it is told to.
type limitedReader struct {
	r     io.Reader
	err   error // that ended it
	total int64 // bytes read
	mark  int64 // where the last value ended
	limit int64 // how many bytes may be read after mark
	kept  []byte
	keep  bool
}

func (t *limitedReader) reset(r io.Reader) {
	*t = limitedReader{r: r, kept: t.kept[:0], limit: maxObject}
}

// Read is called while a value is incomplete, so that everything after mark belongs to
// that value, or is white space.
func (t *limitedReader) Read(p []byte) (int, error) {
	if t.total-t.mark > t.limit {
		t.err = errLarge
		return 0, t.err
	}
	n, err := t.r.Read(p)
	t.total += int64(n)
	if t.keep {
		t.kept = append(t.kept, p[:n]...)
	}
	if err != nil {
		t.err = err
	}
	return n, err
}
