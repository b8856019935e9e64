package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"flytt/internal/api"
	"flytt/internal/drain"
	"flytt/internal/sandbox"
)

// sandboxDB is where --sandbox keeps what was written, for later verbs to find.
const sandboxDB = "flytt-sandbox.db"

// connection is how a verb gets at the API: the flags that say where it is, and
// what has to be closed afterwards.
type connection struct {
	baseURL string
	sandbox bool
	yes     bool

	giveUpAfter time.Duration // 0: soon, for a person waits
	drain       *drain.Gate   // of the run that waits for the API; nil: there is none

	began    string // address that the run began with, which is the one to go on at; empty: any
	customer string // the tenant, once it is open
	closers  []func() error
}

// addFlags adds the flags that say where the API is.
func (n *connection) addFlags(c *cobra.Command) {
	c.Flags().StringVar(&n.baseURL, "base-url", "", "the API: prod, dev or a `URL`")
	c.Flags().BoolVar(&n.sandbox, "sandbox", false, "use a sandbox on this machine, kept in "+sandboxDB)
}

// addYes adds the flag of verbs that write.
func (n *connection) addYes(c *cobra.Command) {
	c.Flags().BoolVar(&n.yes, "yes", false, "do not ask before writing")
}

// open returns a client of the API that the flags and s name, starting a sandbox
// if one is asked for. Close closes both.
func (n *connection) open(s *settings, log *slog.Logger) (*api.Client, error) {
	config, err := n.config(s, log)
	if err != nil {
		return nil, err
	}
	client, err := api.New(config)
	if err != nil {
		return nil, usage(err, cmp.Or(hintOf(err), "FLYTT_BASE_URL is prod, dev, or https:// and a host"))
	}
	n.customer = config.Credentials.CustomerID
	n.closers = append(n.closers, func() error { client.Close(); return nil })
	return client, nil
}

// config says where the API is and who asks.
func (n *connection) config(s *settings, log *slog.Logger) (api.Config, error) {
	config := api.Config{
		BaseURL: cmp.Or(n.baseURL, s.BaseURL), Concurrency: s.Concurrency, Rate: s.Rate,
		UserAgent: "flytt/" + buildVersion(), Log: log, GiveUpAfter: n.giveUpAfter, Drain: n.drain,
	}
	if n.sandbox {
		if n.baseURL != "" {
			return config, usagef("leave one of them out", "--sandbox and --base-url name two different places")
		}
		if is := sandboxAddress(); n.began != "" && n.began != is { // before one is made here
			return config, usagef("go on with it in the directory where its sandbox is", "the run writes to %s, and the settings say %s", n.began, is)
		}
		url, err := n.startSandbox()
		config.BaseURL, config.Credentials = url, sandboxCredentials()
		return config, err
	}
	if config.BaseURL == "" && n.began != "" {
		return config, usagef(fmt.Sprintf("the run writes to %s: FLYTT_BASE_URL, or base_url in %s, says so", n.began, settingsFile), "which API is meant is not said")
	}
	if config.BaseURL == "" {
		return config, usagef("FLYTT_BASE_URL=dev, --base-url dev, or --sandbox to rehearse on this machine", "which API is meant is not said")
	}
	var err error
	config.Credentials, err = s.credentials()
	if n.began != "" && hintOf(err) == noCredentials {
		err = usage(err, "set the variables to the credentials that the run began with")
	}
	return config, err
}

func sandboxCredentials() api.Credentials {
	const c = sandbox.DefaultCredential
	return api.Credentials{CustomerID: c, ApplicationID: c, ServiceID: c, ServiceVersionID: c, ClientCT: c, ClientEntity: c, ClientSecret: c}
}

func (n *connection) startSandbox() (string, error) {
	s, err := sandbox.New(sandbox.Options{DB: sandboxDB})
	if err != nil {
		return "", err
	}
	n.closers = append(n.closers, s.Close)
	url, stop, err := s.Start("127.0.0.1:0")
	if err != nil {
		return "", err
	}
	n.closers = append(n.closers, stop)
	return url, nil
}

// host names the place client speaks to, as a person knows it.
func (n *connection) host(client *api.Client) string {
	if n.sandbox {
		return "sandbox"
	}
	return client.Host()
}

// address names the place that rows are written to for good: not by the port of
// a sandbox in this process, but by its file.
func (n *connection) address(client *api.Client) string {
	if !n.sandbox {
		return client.BaseURL()
	}
	return sandboxAddress()
}

// sandboxAddress is the address of the sandbox that --sandbox starts.
func sandboxAddress() string {
	path, err := filepath.Abs(sandboxDB)
	if err != nil {
		path = sandboxDB
	}
	return "sandbox " + path
}

// needsConsent reports whether a person has to agree to a write first: not to
// one on this machine, and not with --yes.
func (n *connection) needsConsent(client *api.Client) bool {
	return !n.yes && !client.Loopback()
}

// canAsk reports whether there is somebody to ask.
func (a *app) canAsk() bool { return isTerminal(a.stdin) && isTerminal(a.stderr) }

// agreed puts a question, and returns an error unless it was answered with yes: what
// says what was done to nothing then.
func (a *app) agreed(question, what, hint string) error {
	yes, err := a.ask(question)
	switch {
	case err != nil:
		return fmt.Errorf("%w: nothing was %s", err, what)
	case !yes:
		return usagef(hint, "nothing was %s: the question was not answered with yes", what)
	}
	return nil
}

// place names tenant and host of client, for a question.
func (n *connection) place(client *api.Client) string {
	return fmt.Sprintf("tenant %s at %s", n.customer, client.Host())
}

// close closes what was opened, the last first.
func (n *connection) close() error {
	var errs []error
	for _, f := range slices.Backward(n.closers) {
		errs = append(errs, f())
	}
	n.closers = nil
	return errors.Join(errs...)
}
