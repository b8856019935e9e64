package api

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"
)

// selfSigned returns a certificate for name that is valid until a time, and a pool of
// authorities that has it.
func selfSigned(t *testing.T, name string, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, DNSNames: []string{name}}
	if ip := net.ParseIP(name); ip != nil {
		template.DNSNames, template.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestHintsTellCertificatesApart writes to servers with certificates that are not
// trusted for one reason or another.
func TestHintsTellCertificatesApart(t *testing.T) {
	valid := time.Now().AddDate(0, 1, 0)
	for _, test := range []struct {
		name    string
		host    string
		until   time.Time
		trusted bool
		want    string
	}{
		{"unknown authority", "127.0.0.1", valid, false, trustAuthority(runtime.GOOS)},
		{"expired", "127.0.0.1", time.Now().AddDate(0, 0, -1), true, "has expired, or is not valid yet"},
		{"another host", "api.example.se", valid, true, "is for another host name"},
	} {
		certificate, pool := selfSigned(t, test.host, test.until)
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
		s.StartTLS()
		config := Config{BaseURL: s.URL, RootCAs: x509.NewCertPool(),
			Credentials: Credentials{CustomerID: "x", ApplicationID: "x", ServiceID: "x", ServiceVersionID: "x", ClientCT: "x", ClientEntity: "x", ClientSecret: "x"}}
		if test.trusted {
			config.RootCAs = pool
		}
		c, err := New(config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Deliver(t.Context(), http.MethodPost, listPath, func() Outcome { return c.BulkWrite(t.Context(), listPath, []byte("[]"), nil) })
		var gaveUp *GaveUpError
		if !errors.As(err, &gaveUp) || gaveUp.After != 0 || !strings.Contains(gaveUp.Hint(), test.want) {
			t.Errorf("%s: %v", test.name, err)
			if gaveUp != nil {
				t.Error(gaveUp.Hint())
			}
		}
		c.Close()
		s.Close()
	}
}

func TestTheHintNamesOnlyWhatHasAnEffect(t *testing.T) {
	for system, want := range map[string]bool{"linux": true, "freebsd": true, "windows": false, "darwin": false, "plan9": false} {
		hint := trustAuthority(system)
		if got := strings.Contains(hint, "in SSL_CERT_FILE"); got != want || !want && strings.Contains(hint, "SSL_CERT_DIR") {
			t.Errorf("%s: %s", system, hint)
		}
	}
	if hint := CertificateHint(errors.New("connection refused")); hint != "" {
		t.Errorf("an error that is about no certificate: %s", hint)
	}
}
