package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"time"

	"flytt/internal/api"
)

// Connection is how far one gets towards the API without a request. A step is only
// tried if those before it succeeded.
type Connection struct {
	Host      string   // and port, that is connected to: the proxy's if there is one
	Proxy     string   // host of the proxy; empty: there is none
	ProxyErr  error    // why the address of the proxy is invalid
	Addresses []string // of the host
	DNSErr    error
	Connect   time.Duration // how long it took to connect
	TCPErr    error
	Secure    bool // TLS was tried: not with http, and not behind a proxy
	TLS       string
	Issuer    string    // of the server's certificate
	Expires   time.Time // the certificate does
	TLSErr    error
}

// Connect looks up the host of c, connects to it, and negotiates TLS, each within the
// time limits of c. It sends nothing else.
func Connect(ctx context.Context, c *api.Client) *Connection {
	route, err := c.Route()
	r := &Connection{Host: hostPort(route.API)}
	if err != nil {
		r.ProxyErr = err
		return r
	}
	if route.Proxy != nil {
		r.Proxy, r.Host = route.Proxy.Host, hostPort(route.Proxy)
	}
	conn := r.dial(ctx, route.DialTimeout)
	if conn == nil {
		return r
	}
	defer conn.Close()
	if route.Proxy == nil && route.API.Scheme == "https" {
		r.handshake(ctx, conn, &route)
	}
	return r
}

// hostPort returns host and port of u, the scheme's port if it names none.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// dial resolves the host and connects to it; nil if it fails.
func (r *Connection) dial(ctx context.Context, timeout time.Duration) net.Conn {
	ctx, stop := context.WithTimeout(ctx, timeout)
	defer stop()
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		r.DNSErr = err
		return nil
	}
	if r.Addresses, r.DNSErr = net.DefaultResolver.LookupHost(ctx, host); r.DNSErr != nil {
		return nil
	}
	start := time.Now()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.Host)
	if err != nil {
		r.TCPErr = err
		return nil
	}
	r.Connect = time.Since(start)
	return conn
}

// handshake negotiates TLS and examines the certificate, even one that is not trusted.
func (r *Connection) handshake(ctx context.Context, conn net.Conn, route *api.Route) {
	ctx, stop := context.WithTimeout(ctx, route.TLSTimeout)
	defer stop()
	r.Secure = true
	host, _, _ := net.SplitHostPort(r.Host)
	secure := tls.Client(conn, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: route.RootCAs, NextProtos: []string{"h2", "http/1.1"}})
	err := secure.HandshakeContext(ctx)
	var refused *tls.CertificateVerificationError
	switch {
	case errors.As(err, &refused):
		r.TLSErr = err
		r.certificate(refused.UnverifiedCertificates)
	case err != nil:
		r.TLSErr = api.Explain(ctx, err)
	default:
		state := secure.ConnectionState()
		r.TLS = tls.VersionName(state.Version)
		r.certificate(state.PeerCertificates)
	}
}

func (r *Connection) certificate(chain []*x509.Certificate) {
	if len(chain) == 0 {
		return
	}
	r.Expires = chain[0].NotAfter
	name := chain[0].Issuer
	r.Issuer = name.CommonName
	if len(name.Organization) > 0 {
		r.Issuer = name.Organization[0]
	}
}
