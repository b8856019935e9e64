package sandbox

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// pausableListener is where a sandbox listens. It can be paused: then nothing listens
// at its address, and connections are refused.
type pausableListener struct {
	server *http.Server
	addr   net.Addr

	mu     sync.Mutex
	inner  net.Listener
	until  time.Time     // the end of the pause
	closed chan struct{} // closed when the listener is closed
	close  func()        // closes closed
}

// openListener starts to listen at addr.
func (s *Sandbox) openListener(addr string) (*pausableListener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	d := &pausableListener{addr: l.Addr(), inner: l, closed: make(chan struct{})}
	d.close = sync.OnceFunc(func() { close(d.closed) })
	d.server = &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		Protocols: new(http.Protocols), ConnContext: withStreams,
	}
	d.server.Protocols.SetHTTP1(true)
	d.server.Protocols.SetUnencryptedHTTP2(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = append(s.listeners, d)
	return d, nil
}

// removeListener removes a closed listener from the list.
func (s *Sandbox) removeListener(d *pausableListener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners = slices.DeleteFunc(s.listeners, func(other *pausableListener) bool { return other == d })
}

// pauseListeners pauses all listeners for d. Requests that come through another
// server's listener are cut off instead.
func (s *Sandbox) pauseListeners(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listeners) == 0 {
		s.cutUntil = time.Now().Add(d)
	}
	for _, door := range s.listeners {
		door.pause(d)
	}
}

// cutsRequests reports whether requests are cut off now.
func (s *Sandbox) cutsRequests() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.cutUntil)
}

// pause closes the listener, and with it idle connections.
func (d *pausableListener) pause(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.until = time.Now().Add(t)
	_ = d.inner.Close()
	d.server.SetKeepAlivesEnabled(false)
}

// Accept waits for a connection, and for the end of a pause.
func (d *pausableListener) Accept() (net.Conn, error) {
	for {
		d.mu.Lock()
		inner := d.inner
		d.mu.Unlock()
		conn, err := inner.Accept()
		if err == nil {
			return &streamConn{Conn: conn}, nil
		}
		if err := d.reopen(err); err != nil {
			return nil, err
		}
	}
}

// reopenEvery is how long reopen waits if another program uses the address.
const reopenEvery = 50 * time.Millisecond

// reopen listens again after the pause. It returns cause, the error of Accept, if there
// was no pause or the listener is closed.
func (d *pausableListener) reopen(cause error) error {
	for {
		d.mu.Lock()
		wait := time.Until(d.until)
		shut := !d.until.IsZero()
		d.mu.Unlock()
		if !shut {
			return cause
		}
		timer := time.NewTimer(wait)
		select {
		case <-d.closed:
			timer.Stop()
			return cause
		case <-timer.C:
		}
		if err := d.listen(); err == nil || errors.Is(err, net.ErrClosed) {
			return err
		}
	}
}

// listen opens the inner listener again.
func (d *pausableListener) listen() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.closed:
		return net.ErrClosed
	default:
	}
	if time.Now().Before(d.until) {
		return errors.New("shut again meanwhile")
	}
	l, err := net.Listen("tcp", d.addr.String())
	if err != nil {
		d.until = time.Now().Add(reopenEvery)
		return err
	}
	d.inner, d.until = l, time.Time{}
	d.server.SetKeepAlivesEnabled(true)
	return nil
}

// Close closes the listener.
func (d *pausableListener) Close() error {
	d.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.inner.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Addr returns the address of the listener.
func (d *pausableListener) Addr() net.Addr { return d.addr }
