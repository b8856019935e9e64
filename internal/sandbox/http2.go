package sandbox

import (
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"sync"
)

// The HTTP/2 server of net/http ends the stream of a handler that panics with
// RST_STREAM(INTERNAL_ERROR), and gives handlers no way to say another code. So
// the code is put in on the way out: streamConn follows the frames the server
// writes (RFC 9113, section 4.1) and changes that one.

// streamConn is a connection of a server of ours.
type streamConn struct {
	net.Conn

	mu    sync.Mutex
	codes []uint32 // to put into the next RST_STREAM frames that say INTERNAL_ERROR

	// Of what the server writes; Write is never called concurrently.
	begun bool
	http1 bool
	left  int    // bytes to come of the frame whose header was last seen
	carry []byte // the beginning of a frame that is kept back until there is more
}

const (
	frameHeader   = 9 // bytes: length 3, type 1, flags 1, stream 4
	frameReset    = 3 // type RST_STREAM; its payload is a code of 4 bytes
	resetLength   = 4
	internalError = 2
)

// streamsKey is where the context of a request has its connection.
type streamsKey struct{}

// withStreams gives the requests of a connection the connection.
func withStreams(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, streamsKey{}, c)
}

// resetStream ends the stream of an HTTP/2 request with a code. Over HTTP/1, and
// behind a server that is not ours, it resets the connection or the stream as
// that server does.
func (x *exchange) resetStream(code uint32) error {
	c, ours := x.r.Context().Value(streamsKey{}).(*streamConn)
	if x.r.ProtoMajor < 2 || !ours {
		return x.reset()
	}
	c.mu.Lock()
	c.codes = append(c.codes, code)
	c.mu.Unlock()
	panic(http.ErrAbortHandler)
}

// NetConn returns the connection underneath.
func (c *streamConn) NetConn() net.Conn { return c.Conn }

// Write writes what the server sends.
func (c *streamConn) Write(p []byte) (int, error) {
	if !c.begun && len(p) > 0 {
		// A server of HTTP/2 begins with the length of a SETTINGS frame, which is
		// below 65536; HTTP/1 with its name.
		c.begun, c.http1 = true, p[0] != 0
	}
	if c.http1 {
		return c.Conn.Write(p)
	}
	if _, err := c.Conn.Write(c.coded(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// coded returns what can be sent of all that was written, with the codes put in.
func (c *streamConn) coded(p []byte) []byte {
	out := append(c.carry, p...)
	c.carry = nil
	for at := 0; at < len(out); {
		if c.left > 0 {
			n := min(c.left, len(out)-at)
			c.left -= n
			at += n
			continue
		}
		frame := out[at:]
		if len(frame) < frameHeader || frame[3] == frameReset && len(frame) < frameHeader+resetLength {
			c.carry = append(c.carry, frame...)
			return out[:at]
		}
		c.left = int(frame[0])<<16 | int(frame[1])<<8 | int(frame[2])
		at += frameHeader
		if frame[3] == frameReset && c.left == resetLength {
			c.code(frame[frameHeader : frameHeader+resetLength])
		}
	}
	return out
}

// code replaces the code of an RST_STREAM frame if the server's is the one of a
// handler that panicked.
func (c *streamConn) code(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.codes) > 0 && binary.BigEndian.Uint32(payload) == internalError {
		binary.BigEndian.PutUint32(payload, c.codes[0])
		c.codes = c.codes[1:]
	}
}
