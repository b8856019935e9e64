package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"flytt/internal/advice"
	"flytt/internal/osfile"
	"flytt/internal/run"
	"flytt/internal/text"
)

// settingsFile is where settings are read from, in the working directory,
// unless FLYTT_CONFIG names another file.
const settingsFile = "flytt.yaml"

// settingsDoc is the file: settings for all, and by profile what differs.
type settingsDoc struct {
	Common   run.Settings            `yaml:",inline"`
	Profile  string                  `yaml:"profile"`  // the profile where none is asked for
	RunsDir  string                  `yaml:"runs_dir"` // relative to the file; the same for all profiles, so that every verb finds a run
	Profiles map[string]run.Settings `yaml:"profiles"`
}

// loadSettings reads the file and the environment. Profile is that of the flag.
func loadSettings(profile string) (*run.Settings, error) {
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
	if err := environment(s); err != nil {
		return nil, err
	}
	ownFiles(s)
	return s, nil
}

// readSettings reads the settings file and returns its name. Without one, unless
// FLYTT_CONFIG names it, the settings are empty.
func readSettings() (name string, doc *settingsDoc, err error) {
	name, doc = cmp.Or(os.Getenv("FLYTT_CONFIG"), settingsFile), &settingsDoc{}
	data, err := os.ReadFile(name)
	if err != nil && (!errors.Is(err, fs.ErrNotExist) || name != settingsFile) {
		return name, nil, usage(fmt.Errorf("%s: %w", name, osfile.Cause(err)), osfile.NotFoundHint(name, "FLYTT_CONFIG names the settings file"))
	}
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.DisallowUnknownField()).Decode(doc); err != nil && len(bytes.TrimSpace(data)) > 0 {
		return name, nil, settingsFault(name, err)
	}
	return name, doc, nil
}

// chosen returns the name of the profile to use: that of the flag, the
// environment or the file, or "".
func (d *settingsDoc) chosen(flag string) string {
	return cmp.Or(flag, os.Getenv("FLYTT_PROFILE"), d.Profile)
}

// apply lays the profile called profile over s.
func (d *settingsDoc) apply(s *run.Settings, profile, file string) error {
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
		return usagef(text.DidYouMean(profile, names, hint), "unknown profile %s in %s", profile, file)
	}
	compare := p.Compare.Over(s.Compare)
	for _, t := range settings() {
		if from := t.in(&p); !from.IsZero() {
			t.in(s).Set(from)
		}
	}
	s.Compare = compare
	s.Credentials.ClientSecretFile = cmp.Or(p.Credentials.ClientSecretFile, s.Credentials.ClientSecretFile)
	return nil
}

// setting is one of the settings.
type setting struct {
	name     string                  // as doctor shows it
	variable string                  // of the environment that sets it; empty: none does
	field    func(*run.Settings) any // pointer to it
}

// shownSettings are the settings whose values may be seen.
var shownSettings = []setting{
	{"base URL", "FLYTT_BASE_URL", func(s *run.Settings) any { return &s.BaseURL }},
	{"concurrency", "FLYTT_CONCURRENCY", func(s *run.Settings) any { return &s.Concurrency }},
	{"rate", "FLYTT_RATE", func(s *run.Settings) any { return &s.Rate }},
	{"chunk rows", "FLYTT_CHUNK_ROWS", func(s *run.Settings) any { return &s.ChunkRows }},
	{"bulk atomicity", "FLYTT_BULK_ATOMICITY", func(s *run.Settings) any { return &s.Bulk.Atomicity }},
	{"list isnull", "FLYTT_LIST_ISNULL", func(s *run.Settings) any { return &s.List.IsNull }},
	{"compare", "", func(s *run.Settings) any { return &s.Compare }},
}

var resourceSetting = setting{"resource", "FLYTT_RESOURCE", func(s *run.Settings) any { return &s.Resource }}

// secretVariable sets the credential that the settings file names the file of.
const secretVariable = "FLYTT_CLIENT_SECRET"

// credentialSettings are the seven. Whether they are set is all that is shown.
var credentialSettings = []setting{
	{"customer id", "FLYTT_CUSTOMER_ID", func(s *run.Settings) any { return &s.Credentials.Seven.CustomerID }},
	{"application id", "FLYTT_APPLICATION_ID", func(s *run.Settings) any { return &s.Credentials.Seven.ApplicationID }},
	{"service id", "FLYTT_SERVICE_ID", func(s *run.Settings) any { return &s.Credentials.Seven.ServiceID }},
	{"service version id", "FLYTT_SERVICE_VERSION_ID", func(s *run.Settings) any { return &s.Credentials.Seven.ServiceVersionID }},
	{"client ct", "FLYTT_CLIENT_CT", func(s *run.Settings) any { return &s.Credentials.Seven.ClientCT }},
	{"client entity", "FLYTT_CLIENT_ENTITY", func(s *run.Settings) any { return &s.Credentials.Seven.ClientEntity }},
	{"client secret", secretVariable, func(s *run.Settings) any { return &s.Credentials.Seven.ClientSecret }},
}

func settings() []setting {
	return slices.Concat(credentialSettings, shownSettings, []setting{resourceSetting})
}

// in returns the setting in s.
func (t *setting) in(s *run.Settings) reflect.Value { return reflect.ValueOf(t.field(s)).Elem() }

// value returns the setting in s as text, or the file that it is in; "" if it is not set.
func (t *setting) value(s *run.Settings) string {
	switch v := t.in(s); {
	case !v.IsZero():
		return fmt.Sprint(v.Interface())
	case t.variable == secretVariable:
		return s.Credentials.ClientSecretFile
	}
	return ""
}

// set sets the setting in s to what text says.
func (t *setting) set(s *run.Settings, text string) (err error) {
	switch p := t.field(s).(type) {
	case *string:
		*p = text
	case *int:
		*p, err = strconv.Atoi(text)
	case *float64:
		*p, err = strconv.ParseFloat(text, 64)
	}
	if err != nil {
		return usagef("give it a number", "%s is not a number", t.variable)
	}
	return nil
}

// environment lays the FLYTT_ variables over s. Each of the credentials may
// instead be in a file that the variable with _FILE behind its name points to.
func environment(s *run.Settings) error {
	for _, t := range credentialSettings {
		file := os.Getenv(t.variable + "_FILE")
		if file == "" || os.Getenv(t.variable) != "" {
			continue
		}
		text, err := run.ReadSecret(file)
		if err != nil {
			return usage(err, cmp.Or(advice.HintOf(err), t.variable+"_FILE names the file"))
		}
		t.in(s).SetString(text)
		s.Files = append(s.Files, file)
	}
	var errs []error
	for _, t := range settings() {
		if text := os.Getenv(t.variable); text != "" {
			errs = append(errs, t.set(s, text))
		}
	}
	return errors.Join(errs...)
}

// ownFiles adds to s the paths of what flytt itself reads and keeps, none of which
// an output may replace.
func ownFiles(s *run.Settings) {
	s.Files = append(s.Files, cmp.Or(os.Getenv("FLYTT_CONFIG"), settingsFile))
	if f := s.Credentials.ClientSecretFile; f != "" {
		s.Files = append(s.Files, f)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		s.Files = append(s.Files, run.SandboxDB+suffix)
	}
}

// settingsFault returns err, which the YAML library found in the settings file called
// name, in our words. It shows no value: one may be a secret.
func settingsFault(name string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return usage(fmt.Errorf("%s: cannot be read as YAML", name), settingsHint)
	}
	place := name
	if t := at.GetToken(); t != nil && t.Position != nil {
		place = fmt.Sprintf("%s:%d:%d", name, t.Position.Line, t.Position.Column)
	}
	what, hint := settingsProblem(at)
	return usagef(hint, "%s: %s", place, what)
}

const settingsHint = "docs/settings.md lists the settings"

// settingsProblem says what is wrong, and what to do about it.
func settingsProblem(err yaml.Error) (what, hint string) {
	var (
		unknown  *yaml.UnknownFieldError
		kind     *yaml.TypeError
		overflow *yaml.OverflowError
		node     *yaml.UnexpectedNodeTypeError
	)
	switch {
	case errors.As(err, &unknown):
		return unknownSetting(err.GetToken().Value)
	case errors.As(err, &kind):
		return keyOf(err.GetToken()) + " needs " + settingKind(kind.DstType), settingsHint
	case errors.As(err, &overflow):
		return keyOf(err.GetToken()) + " is out of range", settingsHint
	case errors.As(err, &node):
		return keyOf(err.GetToken()) + " needs " + nodeKind(node.Expected), settingsHint
	}
	return text.YAML(err.GetMessage())
}

// unknownSetting says that key is not known where it is, and what may be meant.
func unknownSetting(key string) (what, hint string) {
	keys := settingsKeys(reflect.TypeFor[settingsDoc]())
	if slices.Contains(keys, key) {
		return "unknown key " + key + " in this part of the file", settingsHint
	}
	return "unknown key " + text.Printable(key), text.DidYouMean(key, keys, settingsHint)
}

// keyOf returns the key of the value at t.
func keyOf(t *token.Token) string {
	for ; t != nil; t = t.Prev {
		if t.Type == token.MappingValueType && t.Prev != nil {
			return text.Printable(t.Prev.Value)
		}
	}
	return "the file"
}

// nodeKind names a part of a YAML file for people.
func nodeKind(t ast.NodeType) string {
	if t == ast.SequenceType {
		return "a list"
	}
	return "keys with values"
}

// settingKind names what a setting of type t is in the file.
func settingKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Slice:
		return "a list"
	}
	return "keys with values"
}

// settingsKeys returns the keys that a file of type t can have, those within others too.
func settingsKeys(t reflect.Type) (keys []string) {
	if t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		key, option, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if key == "-" {
			continue
		}
		if option != "inline" {
			keys = append(keys, key)
		}
		keys = append(keys, settingsKeys(t.Field(i).Type)...)
	}
	return keys
}
