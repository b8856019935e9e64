package api

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
)

// Credentials identify the caller. All seven are required and opaque. However
// they are printed, logged or marshalled, they show nothing of themselves.
type Credentials struct {
	CustomerID       string `yaml:"customer_id"`
	ApplicationID    string `yaml:"application_id"`
	ServiceID        string `yaml:"service_id"`
	ServiceVersionID string `yaml:"service_version_id"`
	ClientCT         string `yaml:"client_ct"`
	ClientEntity     string `yaml:"client_entity"`
	ClientSecret     string `yaml:"-"`
}

const hidden = "(credentials hidden)"

// Format prints a fixed text, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// String returns a fixed text.
func (c Credentials) String() string { return hidden }

// GoString returns a fixed text.
func (c Credentials) GoString() string { return hidden }

// LogValue returns a fixed text.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText returns a fixed text.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// credential is one of the seven: the header that carries it and the variable
// that people set it by.
type credential struct {
	header, variable string
	value            func(*Credentials) string
}

var sevenCredentials = [...]credential{
	{"X-Pigello-Customer-Id", "FLYTT_CUSTOMER_ID", func(c *Credentials) string { return c.CustomerID }},
	{"X-Pigello-Application-Id", "FLYTT_APPLICATION_ID", func(c *Credentials) string { return c.ApplicationID }},
	{"X-Pigello-Service-Id", "FLYTT_SERVICE_ID", func(c *Credentials) string { return c.ServiceID }},
	{"X-Pigello-Service-Version-Id", "FLYTT_SERVICE_VERSION_ID", func(c *Credentials) string { return c.ServiceVersionID }},
	{"X-Pigello-Client-Ct", "FLYTT_CLIENT_CT", func(c *Credentials) string { return c.ClientCT }},
	{"X-Pigello-Client-Entity", "FLYTT_CLIENT_ENTITY", func(c *Credentials) string { return c.ClientEntity }},
	{"X-Pigello-Client-Secret", "FLYTT_CLIENT_SECRET", func(c *Credentials) string { return c.ClientSecret }},
}

// Validate reports which of the credentials are missing or cannot be sent, by
// the names of their variables.
func (c *Credentials) Validate() error {
	var missing []string
	for _, each := range sevenCredentials {
		v := each.value(c)
		if v == "" {
			missing = append(missing, each.variable)
		} else if strings.ContainsFunc(v, unsendable) {
			return fmt.Errorf("%s: holds a line break or another character that no header can carry", each.variable)
		}
	}
	switch len(missing) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("credentials: %s is not set", missing[0])
	}
	return fmt.Errorf("credentials: %s are not set", strings.Join(missing, ", "))
}

func unsendable(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }

// setHeaders adds the seven to h.
func (c *Credentials) setHeaders(h http.Header) {
	for _, each := range sevenCredentials {
		h.Set(each.header, each.value(c))
	}
}
