package api

import (
	"context"
	"io"
	"net/http"
	"time"
)

// minProgress is how many bytes of a body have to arrive within the idle time, so that
// a server cannot keep the client waiting with a byte a second.
const minProgress = 1 << 10

// idleReader reads the body of an answer and aborts the exchange if it arrives too
// slowly. Only the time spent waiting for the server counts, not the time that the
// caller takes. Its errors may be shown.
type idleReader struct {
	body    io.Reader
	idle    time.Duration
	abort   context.CancelCauseFunc // of the exchange
	explain func(error) error       // makes an error one that may be shown
	timer   *time.Timer
	spent   time.Duration // waiting since the last progress
	got     int           // bytes since the last progress
}

// Read reads on.
func (r *idleReader) Read(p []byte) (int, error) {
	start := time.Now()
	if r.timer == nil {
		r.timer = time.AfterFunc(r.idle, func() { r.abort(errIdle) })
	} else {
		r.timer.Reset(max(r.idle-r.spent, 0))
	}
	n, err := r.body.Read(p)
	r.timer.Stop()
	r.spent += time.Since(start)
	if r.got += n; r.got >= minProgress {
		r.got, r.spent = 0, 0
	}
	if err != nil && err != io.EOF {
		err = r.explain(err)
	}
	return n, err
}

// stop ends the timer. Nothing is read after that.
func (r *idleReader) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
}

// readBody reads the body of res into the buffer into. It ends early when the
// body is longer than most bytes.
func readBody(res *http.Response, body io.Reader, into []byte, most int64) ([]byte, error) {
	buf := sizeFor(into[:0], min(res.ContentLength, 1<<20))
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > most:
			return buf[:most], errTooLong
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		}
	}
}

// sizeFor returns buf with room for n bytes and one more, so that the end of the body
// is found without growing.
func sizeFor(buf []byte, n int64) []byte {
	if need := int(max(n, 511)) + 1; cap(buf) < need {
		return make([]byte, 0, need)
	}
	return buf
}

// byteOrderMark begins the answers of some servers, although JSON must not have
// it (RFC 8259, section 8.1).
const byteOrderMark = "\xEF\xBB\xBF"

// markSkipper reads the body of an answer without the byte order mark that it may start
// with.
type markSkipper struct {
	body  io.Reader
	begun bool
	head  []byte // read while looking for the mark, and not handed out yet
	err   error  // that ended the reading of head
}

// Read reads on.
func (r *markSkipper) Read(p []byte) (int, error) {
	if !r.begun {
		r.begun = true
		r.readHead()
	}
	if len(r.head) > 0 {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	if r.err != nil {
		return 0, r.err
	}
	return r.body.Read(p)
}

// readHead reads as many bytes as the mark has. It reads on only while the bytes match
// the mark, so that it does not wait for a server that sends less for now.
func (r *markSkipper) readHead() {
	var head [len(byteOrderMark)]byte
	n := 0
	for n < len(head) && r.err == nil && byteOrderMark[:n] == string(head[:n]) {
		var got int
		got, r.err = r.body.Read(head[n:])
		n += got
	}
	if r.head = head[:n]; string(r.head) == byteOrderMark {
		r.head = nil
	}
}
