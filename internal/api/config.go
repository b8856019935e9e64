package api

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"flytt/internal/drain"
)

// Config says where the API is and how to speak to it. Each zero field has the default
// named beside it.
type Config struct {
	BaseURL     string // prod, dev, or scheme and host; see ParseBaseURL
	Credentials Credentials
	UserAgent   string  // flytt
	Concurrency int     // writes under way at once, at most, and connections to keep open; 4
	Rate        float64 // requests per second, reads and writes together; 0: no limit

	DialTimeout   time.Duration // 10 s
	TLSTimeout    time.Duration // 10 s
	HeaderTimeout time.Duration // from the last byte sent to the answer's header; 2 min
	IdleTimeout   time.Duration // for each KiB of the answer's body; 30 s
	TotalTimeout  time.Duration // for one attempt as a whole; 5 min

	GiveUpAfter time.Duration // how long to wait for an API that does not answer; 30 s
	BusyAfter   time.Duration // how long to retry while the API asks to retry later; 15 min
	MaxAnswer   int64         // bytes of one answer; 32 MiB

	Drain *drain.Gate // once closed, nobody waits any more: neither for a turn nor for the API; nil: it stays open

	RootCAs   *x509.CertPool    // whom to trust; nil: the system's
	Transport http.RoundTripper // replaces the network; nil: the network
	Log       *slog.Logger      // nil: none
}

// withDefaults returns c with every zero replaced by its default.
func (c Config) withDefaults() Config {
	c.UserAgent = cmp.Or(c.UserAgent, "flytt")
	c.Concurrency = cmp.Or(c.Concurrency, 4)
	c.DialTimeout = cmp.Or(c.DialTimeout, 10*time.Second)
	c.TLSTimeout = cmp.Or(c.TLSTimeout, 10*time.Second)
	c.HeaderTimeout = cmp.Or(c.HeaderTimeout, 2*time.Minute)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, 30*time.Second)
	c.TotalTimeout = cmp.Or(c.TotalTimeout, 5*time.Minute)
	c.GiveUpAfter = cmp.Or(c.GiveUpAfter, 30*time.Second)
	c.BusyAfter = cmp.Or(c.BusyAfter, 15*time.Minute)
	c.MaxAnswer = cmp.Or(c.MaxAnswer, 32<<20)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// The servers that have a name of their own.
var presets = map[string]string{
	"prod": "https://api.pigello.io",
	"dev":  "https://dev.api.pigello.io",
}

// ParseBaseURL returns the URL that s stands for: prod, dev, or a scheme and a host,
// and nothing after them. Any scheme but https is for this machine only. Errors show no
// more of s than its scheme and host, because a URL may hold a password.
func ParseBaseURL(s string) (*url.URL, error) {
	if preset, ok := presets[s]; ok {
		s = preset
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, errors.New("base URL: not a URL; it is prod, dev, or like https://host")
	}
	if u.Scheme == "" || u.Host == "" || u.Hostname() == "" {
		return nil, errors.New("base URL: has no scheme or no host; it is prod, dev, or like https://host")
	}
	where := "base URL " + u.Scheme + "://" + u.Host
	if surplus := beyondHost(u); surplus != "" {
		return nil, fmt.Errorf("%s: has %s; give only scheme and host", where, surplus)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme != "http":
		return nil, fmt.Errorf("%s: the scheme is not https", where)
	case !Loopback(u):
		return nil, fmt.Errorf("%s: http would send the credentials in the clear; only this machine may be reached without https", where)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// beyondHost names a part of u other than scheme and host; empty if there is none.
func beyondHost(u *url.URL) string {
	switch {
	case u.User != nil:
		return "a user name"
	case u.Path != "" && u.Path != "/":
		return "a path"
	case u.RawQuery != "" || u.ForceQuery:
		return "a query"
	case u.Fragment != "":
		return "a fragment"
	}
	return ""
}

// Loopback reports whether u is on this machine.
func Loopback(u *url.URL) bool {
	host := strings.TrimSuffix(u.Hostname(), ".")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
