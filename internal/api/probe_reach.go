package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Reach is how far one gets towards the API without asking it anything. A step
// is only tried if those before it went well.
type Reach struct {
	Host      string   // and port, that is connected to: the proxy's if there is one
	Proxy     string   // host of the proxy; empty: there is none
	ProxyErr  error    // why the address of the proxy is no good
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

// OK reports whether every step that was tried went well.
func (r *Reach) OK() bool {
	return r.ProxyErr == nil && r.DNSErr == nil && r.TCPErr == nil && r.TLSErr == nil
}

// Reach looks the host up, connects to it, and agrees on TLS, each within the
// time the client has for it. Nothing is sent that TLS does not need.
func (c *Client) Reach(ctx context.Context) *Reach {
	r := &Reach{Host: hostPort(c.base)}
	through, err := proxy(&http.Request{URL: c.base})
	if err != nil {
		r.ProxyErr = err
		return r
	}
	if through != nil {
		r.Proxy, r.Host = through.Host, hostPort(through)
	}
	conn := r.connect(ctx, c.config.DialTimeout)
	if conn == nil {
		return r
	}
	defer conn.Close()
	if through == nil && c.base.Scheme == "https" {
		r.handshake(ctx, conn, &c.config)
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

// connect resolves the host and connects to it; nil if that cannot be done.
func (r *Reach) connect(ctx context.Context, timeout time.Duration) net.Conn {
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

// handshake agrees on TLS and looks at the certificate, also at one that is not
// trusted.
func (r *Reach) handshake(ctx context.Context, conn net.Conn, config *Config) {
	ctx, stop := context.WithTimeout(ctx, config.TLSTimeout)
	defer stop()
	r.Secure = true
	host, _, _ := net.SplitHostPort(r.Host)
	secure := tls.Client(conn, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: config.RootCAs, NextProtos: []string{"h2", "http/1.1"}})
	err := secure.HandshakeContext(ctx)
	var refused *tls.CertificateVerificationError
	switch {
	case errors.As(err, &refused):
		r.TLSErr = err
		r.certificate(refused.UnverifiedCertificates)
	case err != nil:
		r.TLSErr = explain(ctx, err)
	default:
		state := secure.ConnectionState()
		r.TLS = tls.VersionName(state.Version)
		r.certificate(state.PeerCertificates)
	}
}

func (r *Reach) certificate(chain []*x509.Certificate) {
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
