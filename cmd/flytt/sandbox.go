package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"flytt/internal/api"
	"flytt/internal/sandbox"
)

func sandboxCommand(a *app) *cobra.Command {
	var addr, db, profile string
	var own bool
	c := &cobra.Command{
		Use:   "sandbox",
		Short: "Serve the API on this machine, to learn and rehearse",
		Long: `sandbox serves the API on this machine, with its operations, rules and answers,
and real storage in SQLite: in memory, or in the file given with --db. It accepts
the value sandbox for all seven credentials; with --own-credentials it accepts
those of the environment or flytt.yaml instead. It runs until it is interrupted.`,
		Example: `  flytt sandbox
  flytt sandbox --db rehearsal.db --addr 127.0.0.1:9000`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o := sandbox.Options{DB: db}
			if own {
				credentials, err := ownCredentials(profile)
				if err != nil {
					return err
				}
				o.Credentials = sandbox.Credentials(credentials)
			}
			return a.serve(c, o, addr, own)
		},
	}
	c.Flags().StringVar(&addr, "addr", "127.0.0.1:8787", "`HOST:PORT` to listen on")
	c.Flags().StringVar(&db, "db", "", "database `FILE` (default: in memory)")
	c.Flags().StringVar(&profile, "profile", "", "`NAME` of a profile in flytt.yaml")
	c.Flags().BoolVar(&own, "own-credentials", false, "accept the credentials of the settings only")
	return c
}

func ownCredentials(profile string) (api.Credentials, error) {
	s, err := loadSettings(profile)
	if err != nil {
		return api.Credentials{}, err
	}
	return s.credentials()
}

// serve runs a sandbox until a signal comes.
func (a *app) serve(c *cobra.Command, o sandbox.Options, addr string, own bool) (err error) {
	s, err := sandbox.New(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	url, stop, err := s.Start(addr)
	if err != nil {
		return usage(err, "--addr chooses another address")
	}
	defer func() { err = errors.Join(err, stop()) }()
	ctx, drain, release := a.signals(c.Context(), "the sandbox ends")
	defer release()
	if err := a.greet(url, own); err != nil {
		return err
	}
	select {
	case <-drain:
	case <-ctx.Done():
	}
	return nil
}

// greet prints the lines to paste into a shell.
func (a *app) greet(url string, own bool) error {
	_, err := fmt.Fprintf(a.stdout, "# The sandbox listens. Paste this into another shell; Ctrl-C here ends it.\nexport FLYTT_BASE_URL=%s\n", url)
	if err != nil || own {
		return stdoutError(err)
	}
	for _, name := range []string{"CUSTOMER_ID", "APPLICATION_ID", "SERVICE_ID", "SERVICE_VERSION_ID", "CLIENT_CT", "CLIENT_ENTITY", "CLIENT_SECRET"} {
		if _, err := fmt.Fprintf(a.stdout, "export FLYTT_%s=%s\n", name, sandbox.DefaultCredential); err != nil {
			return stdoutError(err)
		}
	}
	return nil
}
