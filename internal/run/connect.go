package run

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"flytt/internal/advice"
	"flytt/internal/api"
	"flytt/internal/drain"
	"flytt/internal/journal"
	"flytt/internal/sandbox"
)

// SandboxDB is where the sandbox of a Place keeps what was written, for later runs to
// find.
const SandboxDB = "flytt-sandbox.db"

// ConnectOptions says how an API is reached.
type ConnectOptions struct {
	Version     string        // of the program
	GiveUpAfter time.Duration // 0: soon, for a person waits
	Drain       *drain.Gate   // of the run that waits for the API; nil: there is none
	Log         *slog.Logger

	// Began is the address that an earlier run began with, which is the one to go on at;
	// empty: any.
	Began string
}

// Connection is a connection to the API, with all that has to be closed after use.
type Connection struct {
	Client   *api.Client
	Customer string // the tenant
	Address  string // of what is written to for good: the file of a sandbox, not its port
	Host     string // as a person knows it

	closers closers
}

// Connect connects to the API at p, or where s says, starting a sandbox if that is it.
func Connect(p Place, s *Settings, o ConnectOptions) (_ *Connection, err error) {
	c := &Connection{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	config := api.Config{
		BaseURL: cmp.Or(p.BaseURL, s.BaseURL), Concurrency: s.Concurrency, Rate: s.Rate,
		UserAgent: "flytt/" + o.Version, Log: o.Log, GiveUpAfter: o.GiveUpAfter, Drain: o.Drain,
	}
	if p.Sandbox {
		err = c.startSandbox(p, &o, &config)
	} else {
		err = credentials(s, &o, &config)
	}
	if err != nil {
		return nil, err
	}
	if c.Client, err = api.New(config); err != nil {
		return nil, advice.Usage(err, cmp.Or(advice.HintOf(err), "FLYTT_BASE_URL is prod, dev, or https:// and a host"))
	}
	c.closers.add(func() error { c.Client.Close(); return nil })
	c.Customer = config.Credentials.CustomerID
	if !p.Sandbox {
		c.Host, c.Address = c.Client.Host(), c.Client.BaseURL()
	}
	return c, nil
}

// credentials fills in who asks, for an API that is not a sandbox of this process.
func credentials(s *Settings, o *ConnectOptions, config *api.Config) (err error) {
	switch {
	case config.BaseURL == "" && o.Began != "":
		return advice.Usagef(fmt.Sprintf("the run writes to %s: set FLYTT_BASE_URL, or base_url in flytt.yaml", o.Began), "name the API: --base-url, FLYTT_BASE_URL or --sandbox")
	case config.BaseURL == "":
		return advice.Usagef("FLYTT_BASE_URL=dev, --base-url dev, or --sandbox to rehearse on this machine", "name the API: --base-url, FLYTT_BASE_URL or --sandbox")
	}
	config.Credentials, err = s.Credentials.API()
	if o.Began != "" && advice.HintOf(err) == noCredentials {
		err = advice.Usage(err, "set the variables to the credentials that the run started with")
	}
	return err
}

func (c *Connection) startSandbox(p Place, o *ConnectOptions, config *api.Config) error {
	if p.BaseURL != "" {
		return advice.Usagef("leave one of them out", "--sandbox and --base-url name two different places")
	}
	db := cmp.Or(p.DB, SandboxDB)
	c.Host, c.Address = "sandbox", "sandbox "+db
	if path, err := filepath.Abs(db); err == nil {
		c.Address = "sandbox " + path
	}
	if o.Began != "" && o.Began != c.Address { // before one is made here
		return advice.Usagef("resume it in the directory that has its sandbox", "the run writes to %s, and the settings say %s", o.Began, c.Address)
	}
	s, err := sandbox.New(sandbox.Options{DB: db})
	if err != nil {
		return err
	}
	c.closers.add(s.Close)
	url, stop, err := s.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	c.closers.add(stop)
	const d = sandbox.DefaultCredential
	config.BaseURL = url
	config.Credentials = api.Credentials{CustomerID: d, ApplicationID: d, ServiceID: d, ServiceVersionID: d, ClientCT: d, ClientEntity: d, ClientSecret: d}
	return nil
}

// Close closes what was opened, the last first.
func (c *Connection) Close() error { return c.closers.close() }

// checkPlace refuses to write rows of the run with the header h to another place than
// it wrote to; writes is that in words, for a run that is over or goes on.
func (c *Connection) checkPlace(h *journal.Header, writes string) error {
	if c.Address != h.BaseURL {
		return advice.Usagef("use the settings that it started with", "the run %s to %s, and the settings say %s", writes, h.BaseURL, c.Address)
	}
	if c.Customer != h.Customer {
		return advice.Usagef("use the credentials of the tenant that it "+writes+" to", "the run %s to tenant %s, and the credentials are of %s", writes, h.Customer, c.Customer)
	}
	return nil
}

// closers close what was opened.
type closers []func() error

func (c *closers) add(f func() error) { *c = append(*c, f) }

// close closes all, the last first.
func (c *closers) close() error {
	var errs []error
	for _, f := range slices.Backward(*c) {
		errs = append(errs, f())
	}
	*c = nil
	return errors.Join(errs...)
}
