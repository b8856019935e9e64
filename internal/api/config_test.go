package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"flytt/internal/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary is the value of every test credential, to be found nowhere.
const canary = "canary-7f3a"

func credentials() api.Credentials {
	return api.Credentials{
		CustomerID: canary, ApplicationID: canary, ServiceID: canary, ServiceVersionID: canary,
		ClientCT: canary, ClientEntity: canary, ClientSecret: canary,
	}
}

func newClient(t testing.TB, config api.Config) *api.Client {
	t.Helper()
	config.Credentials = credentials()
	c, err := api.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestParseBaseURL(t *testing.T) {
	good := map[string]string{
		"prod":                   "https://api.pigello.io",
		"dev":                    "https://dev.api.pigello.io",
		"https://api.example.se": "https://api.example.se",
		"https://example.se/":    "https://example.se",
		"https://example.se:444": "https://example.se:444",
		"http://localhost:8787":  "http://localhost:8787",
		"http://127.0.0.1:8787":  "http://127.0.0.1:8787",
		"http://[::1]:8787":      "http://[::1]:8787",
	}
	for in, want := range good {
		u, err := api.ParseBaseURL(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
		} else if u.String() != want {
			t.Errorf("%s: got %s, want %s", in, u, want)
		}
	}
	bad := map[string]string{
		"":                            "no scheme or no host",
		"production":                  "no scheme or no host",
		"api.pigello.io":              "no scheme or no host",
		"https://":                    "no scheme or no host",
		"https://:443":                "no scheme or no host",
		"https://x.se/organization/":  "has a path",
		"https://x.se?a=secret":       "has a query",
		"https://x.se#secret":         "has a fragment",
		"https://me:secret@x.se":      "has a user name",
		"http://x.se":                 "in the clear",
		"http://localhost.x.se":       "in the clear",
		"http://10.0.0.1":             "in the clear",
		"ftp://x.se":                  "not https",
		"https://x.se:port/secret":    "not a URL",
		"http://127.0.0.1:1@10.0.0.1": "has a user name",
	}
	for in, want := range bad {
		_, err := api.ParseBaseURL(in)
		if err == nil {
			t.Errorf("%q: no error", in)
		} else if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: got %q, want %q in it and no secret", in, err, want)
		}
	}
}

func TestCredentialsAreValidatedByVariable(t *testing.T) {
	c := credentials()
	if err := c.Validate(); err != nil {
		t.Errorf("all set: %v", err)
	}
	c.ClientSecret = ""
	if err := c.Validate(); err == nil || err.Error() != "credentials: FLYTT_CLIENT_SECRET is not set" {
		t.Errorf("one missing: %v", err)
	}
	c.CustomerID = ""
	if err := c.Validate(); err == nil || err.Error() != "credentials: FLYTT_CUSTOMER_ID, FLYTT_CLIENT_SECRET are not set" {
		t.Errorf("two missing: %v", err)
	}
	c = credentials()
	c.ServiceID = canary + "\n"
	if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), "FLYTT_SERVICE_ID: ") || strings.Contains(err.Error(), canary) {
		t.Errorf("line break: %v", err)
	}
	_, err := api.New(api.Config{BaseURL: "prod"})
	if err == nil || strings.Count(err.Error(), "FLYTT_") != reflect.TypeFor[api.Credentials]().NumField() {
		t.Errorf("none set: %v", err)
	}
}

func TestCredentialsAreNeverShown(t *testing.T) {
	config := api.Config{BaseURL: "prod", Credentials: credentials()}
	client := newClient(t, config)
	holder := struct {
		C *api.Client
		K api.Credentials
		P *api.Credentials
	}{client, credentials(), &config.Credentials}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		for _, v := range []any{config, &config, config.Credentials, &config.Credentials, client, holder, &holder} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("x", "config", config.Credentials, "p", &config.Credentials, "client", client)
	}
	if err := json.NewEncoder(&out).Encode(config.Credentials); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.Contains(s, canary) || strings.Contains(s, fmt.Sprintf("%x", canary)) {
		t.Errorf("credentials shown:\n%s", s)
	}
}
