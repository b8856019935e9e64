package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"flytt/internal/api"
	"flytt/internal/osfile"
	"flytt/internal/run"
	"flytt/internal/text"
)

// settingsFile is where settings are read from, in the working directory,
// unless FLYTT_CONFIG names another file.
const settingsFile = "flytt.yaml"

// settings are what does not change from run to run: flags come before the
// environment, and the environment before the file.
type settings struct {
	BaseURL     string          `yaml:"base_url"`
	Resource    string          `yaml:"resource"`
	Concurrency int             `yaml:"concurrency"`
	Rate        float64         `yaml:"rate"`
	ChunkRows   int             `yaml:"chunk_rows"`
	Bulk        bulkSettings    `yaml:"bulk"`
	List        listSettings    `yaml:"list"`
	Compare     run.Comparisons `yaml:"compare"` // forms in which fields are compared
	Credentials credentialSet   `yaml:"credentials"`
}

type bulkSettings struct {
	Atomicity string `yaml:"atomicity"` // all, partial or unknown
}

type listSettings struct {
	IsNull string `yaml:"isnull"` // how true is written in a filter by isnull: true, True, TRUE or 1
}

// credentialSet is the credentials that are no secret, and where the secret is.
type credentialSet struct {
	CustomerID       string `yaml:"customer_id"`
	ApplicationID    string `yaml:"application_id"`
	ServiceID        string `yaml:"service_id"`
	ServiceVersionID string `yaml:"service_version_id"`
	ClientCT         string `yaml:"client_ct"`
	ClientEntity     string `yaml:"client_entity"`
	ClientSecretFile string `yaml:"client_secret_file"` // relative to the settings file
	secret           string
	files            []string // that credentials were read from
}

// settingsDoc is the file: settings for all, and by profile what differs.
type settingsDoc struct {
	Common   settings            `yaml:",inline"`
	Profile  string              `yaml:"profile"`  // the profile where none is asked for
	RunsDir  string              `yaml:"runs_dir"` // relative to the file; the same for all profiles, so that every verb finds a run
	Profiles map[string]settings `yaml:"profiles"`
}

// loadSettings reads the file and the environment. Profile is that of the flag.
func loadSettings(profile string) (*settings, error) {
	name, doc, err := readSettings()
	if err != nil {
		return nil, err
	}
	s := &doc.Common
	if err := doc.apply(s, doc.chosen(profile), name); err != nil {
		return nil, err
	}
	if err := s.Compare.CheckForms(name); err != nil {
		return nil, err
	}
	if f := s.Credentials.ClientSecretFile; f != "" && !filepath.IsAbs(f) {
		s.Credentials.ClientSecretFile = filepath.Join(filepath.Dir(name), f)
	}
	if err := s.environment(); err != nil {
		return nil, err
	}
	return s, nil
}

// readSettings reads the settings file and returns its name. Without one, unless
// FLYTT_CONFIG names it, the settings are empty.
func readSettings() (name string, doc *settingsDoc, err error) {
	name, doc = cmp.Or(os.Getenv("FLYTT_CONFIG"), settingsFile), &settingsDoc{}
	data, err := os.ReadFile(name)
	if err != nil && (!errors.Is(err, fs.ErrNotExist) || name != settingsFile) {
		return name, nil, usage(fmt.Errorf("%s: %w", name, osfile.Cause(err)), "FLYTT_CONFIG names the settings file")
	}
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.DisallowUnknownField()).Decode(doc); err != nil && len(bytes.TrimSpace(data)) > 0 {
		return name, nil, usage(fmt.Errorf("%s: %s", name, strings.TrimSpace(yaml.FormatError(err, false, false))), "docs/settings.md lists the settings")
	}
	return name, doc, nil
}

// chosen returns the name of the profile to use: that of the flag, the
// environment or the file, or "".
func (d *settingsDoc) chosen(flag string) string {
	return cmp.Or(flag, os.Getenv("FLYTT_PROFILE"), d.Profile)
}

// apply lays the profile called profile over s.
func (d *settingsDoc) apply(s *settings, profile, file string) error {
	if profile == "" {
		return nil
	}
	p, ok := d.Profiles[profile]
	if !ok {
		var names []string
		for name := range d.Profiles {
			names = append(names, name)
		}
		slices.Sort(names)
		hint := file + " has no profiles"
		if len(names) > 0 {
			hint = "the profiles are " + strings.Join(names, ", ")
		}
		return usagef(text.DidYouMean(profile, names, hint), "there is no profile %s in %s", profile, file)
	}
	overlay(&s.BaseURL, p.BaseURL)
	overlay(&s.Resource, p.Resource)
	overlay(&s.Concurrency, p.Concurrency)
	overlay(&s.Rate, p.Rate)
	overlay(&s.ChunkRows, p.ChunkRows)
	overlay(&s.Bulk.Atomicity, p.Bulk.Atomicity)
	overlay(&s.List.IsNull, p.List.IsNull)
	s.Compare = p.Compare.Over(s.Compare)
	c, q := &s.Credentials, &p.Credentials
	overlay(&c.CustomerID, q.CustomerID)
	overlay(&c.ApplicationID, q.ApplicationID)
	overlay(&c.ServiceID, q.ServiceID)
	overlay(&c.ServiceVersionID, q.ServiceVersionID)
	overlay(&c.ClientCT, q.ClientCT)
	overlay(&c.ClientEntity, q.ClientEntity)
	overlay(&c.ClientSecretFile, q.ClientSecretFile)
	return nil
}

// overlay sets dst to v unless v is zero.
func overlay[T comparable](dst *T, v T) {
	var zero T
	if v != zero {
		*dst = v
	}
}

// overlayRequests lays the flags that say how requests are made over s, and the
// defaults below them.
func (s *settings) overlayRequests(concurrency int, rate float64) error {
	overlay(&s.Concurrency, concurrency)
	overlay(&s.Rate, rate)
	if s.Concurrency == 0 {
		s.Concurrency = defaultConcurrency
	}
	switch {
	case s.Concurrency < 1 || s.Concurrency > mostConcurrency:
		return usagef(fmt.Sprintf("it is from 1 to %d", mostConcurrency), "--concurrency %d is out of range", s.Concurrency)
	case !(s.Rate >= 0): // NaN, too
		return usagef("requests per second, above 0", "--rate cannot be below 0")
	}
	return nil
}

// environment lays the FLYTT_ variables over s. Each of the credentials may
// instead be in a file that the variable with _FILE behind its name points to.
func (s *settings) environment() error {
	overlay(&s.BaseURL, os.Getenv("FLYTT_BASE_URL"))
	overlay(&s.Resource, os.Getenv("FLYTT_RESOURCE"))
	overlay(&s.Bulk.Atomicity, os.Getenv("FLYTT_BULK_ATOMICITY"))
	overlay(&s.List.IsNull, os.Getenv("FLYTT_LIST_ISNULL"))
	c := &s.Credentials
	for _, v := range []struct {
		name string
		dst  *string
	}{
		{"FLYTT_CUSTOMER_ID", &c.CustomerID}, {"FLYTT_APPLICATION_ID", &c.ApplicationID},
		{"FLYTT_SERVICE_ID", &c.ServiceID}, {"FLYTT_SERVICE_VERSION_ID", &c.ServiceVersionID},
		{"FLYTT_CLIENT_CT", &c.ClientCT}, {"FLYTT_CLIENT_ENTITY", &c.ClientEntity},
		{"FLYTT_CLIENT_SECRET", &c.secret},
	} {
		overlay(v.dst, os.Getenv(v.name))
		if file := os.Getenv(v.name + "_FILE"); file != "" && os.Getenv(v.name) == "" {
			text, err := readSecret(file)
			if err != nil {
				return usage(err, cmp.Or(hintOf(err), v.name+"_FILE names the file"))
			}
			*v.dst = text
			c.files = append(c.files, file)
		}
	}
	return errors.Join(
		number("FLYTT_CONCURRENCY", &s.Concurrency, strconv.Atoi),
		number("FLYTT_CHUNK_ROWS", &s.ChunkRows, strconv.Atoi),
		number("FLYTT_RATE", &s.Rate, func(v string) (float64, error) { return strconv.ParseFloat(v, 64) }),
	)
}

func number[T any](name string, dst *T, parse func(string) (T, error)) error {
	v := os.Getenv(name)
	if v == "" {
		return nil
	}
	n, err := parse(v)
	if err != nil {
		return usagef("give it a number", "%s is not a number", name)
	}
	*dst = n
	return nil
}

// readSecret returns what is in a file, without the line end.
func readSecret(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, osfile.Cause(err))
	}
	if loose(info) {
		return "", usagef("chmod 600 "+quote(file), "%s: others can read this secret", file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, osfile.Cause(err))
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// noCredentials is what to do where some are missing.
const noCredentials = "set the variables, or use --sandbox to rehearse without any"

// credentials returns the seven, the secret read from its file if need be.
func (s *settings) credentials() (api.Credentials, error) {
	c := s.Credentials
	if c.secret == "" && c.ClientSecretFile != "" {
		text, err := readSecret(c.ClientSecretFile)
		if err != nil {
			return api.Credentials{}, usage(err, cmp.Or(hintOf(err), "client_secret_file in the settings names the file"))
		}
		c.secret = text
	}
	out := api.Credentials{
		CustomerID: c.CustomerID, ApplicationID: c.ApplicationID, ServiceID: c.ServiceID,
		ServiceVersionID: c.ServiceVersionID, ClientCT: c.ClientCT, ClientEntity: c.ClientEntity,
		ClientSecret: c.secret,
	}
	if err := out.Validate(); err != nil {
		return out, usage(err, noCredentials)
	}
	return out, nil
}

// ownFiles returns the paths of what flytt itself reads and keeps, none of which
// an output may replace.
func (s *settings) ownFiles() []string {
	files := append([]string{cmp.Or(os.Getenv("FLYTT_CONFIG"), settingsFile)}, s.Credentials.files...)
	if f := s.Credentials.ClientSecretFile; f != "" {
		files = append(files, f)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		files = append(files, sandboxDB+suffix)
	}
	return files
}
