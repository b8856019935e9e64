package probe_test

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"flytt/internal/api"
	"flytt/internal/api/probe"
)

// connect goes the way to url, trusting roots.
func connect(t *testing.T, url string, roots *x509.CertPool) *probe.Connection {
	t.Helper()
	const c = "x"
	client, err := api.New(api.Config{BaseURL: url, RootCAs: roots, DialTimeout: 5 * time.Second, Credentials: api.Credentials{
		CustomerID: c, ApplicationID: c, ServiceID: c, ServiceVersionID: c, ClientCT: c, ClientEntity: c, ClientSecret: c,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return probe.Connect(context.Background(), client)
}

func secureServer(t *testing.T) *httptest.Server {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestConnectTellsOfTheCertificate(t *testing.T) {
	s := secureServer(t)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	r := connect(t, s.URL, roots)
	if !succeeded(r) || !r.Secure || r.TLS != "TLS 1.3" || r.Issuer != "Acme Co" || !r.Expires.Equal(s.Certificate().NotAfter) {
		t.Errorf("%+v", r)
	}
	if len(r.Addresses) != 1 || r.Proxy != "" || r.Connect <= 0 {
		t.Errorf("%+v", r)
	}
}

func TestConnectTellsWhoseCertificateIsNotTrusted(t *testing.T) {
	r := connect(t, secureServer(t).URL, nil)
	if succeeded(r) || r.TLSErr == nil || r.Issuer != "Acme Co" || r.Expires.IsZero() {
		t.Errorf("%+v", r)
	}
}

func TestConnectTellsWhereTheWayEnds(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	if r := connect(t, plain.URL, nil); !succeeded(r) || r.Secure {
		t.Errorf("plain http: %+v", r)
	}
	if r := connect(t, "https"+plain.URL[len("http"):], nil); r.TLSErr == nil || r.Issuer != "" {
		t.Errorf("http where TLS is spoken: %+v", r)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if r := connect(t, "http://"+address, nil); r.TCPErr == nil || r.DNSErr != nil {
		t.Errorf("a closed port: %+v", r)
	}
	if r := connect(t, "https://no-such-host.invalid", nil); r.DNSErr == nil || r.TCPErr != nil {
		t.Errorf("an unknown host: %+v", r)
	}
}

// succeeded reports whether every step that was tried succeeded.
func succeeded(r *probe.Connection) bool {
	return r.ProxyErr == nil && r.DNSErr == nil && r.TCPErr == nil && r.TLSErr == nil
}
