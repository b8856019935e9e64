package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"flytt/internal/api"
)

// setting is one of the settings: what it is called, and what it is in some
// settings, "" if it is not set there.
type setting struct {
	name     string
	variable string
	value    func(*settings) string
}

// shownSettings are the settings whose values may be seen.
var shownSettings = []setting{
	{"base URL", "FLYTT_BASE_URL", func(s *settings) string { return s.BaseURL }},
	{"concurrency", "FLYTT_CONCURRENCY", func(s *settings) string { return numeral(s.Concurrency) }},
	{"rate", "FLYTT_RATE", func(s *settings) string { return numeral(s.Rate) }},
	{"chunk rows", "FLYTT_CHUNK_ROWS", func(s *settings) string { return numeral(s.ChunkRows) }},
	{"bulk atomicity", "FLYTT_BULK_ATOMICITY", func(s *settings) string { return s.Bulk.Atomicity }},
	{"list isnull", "FLYTT_LIST_ISNULL", func(s *settings) string { return s.List.IsNull }},
	{"compare", "", func(s *settings) string { return s.Compare.String() }},
}

var resourceSetting = setting{"resource", "FLYTT_RESOURCE", func(s *settings) string { return s.Resource }}

// credentialSettings are the seven. Whether they are set is all that is shown.
var credentialSettings = []setting{
	{"customer id", "FLYTT_CUSTOMER_ID", func(s *settings) string { return s.Credentials.CustomerID }},
	{"application id", "FLYTT_APPLICATION_ID", func(s *settings) string { return s.Credentials.ApplicationID }},
	{"service id", "FLYTT_SERVICE_ID", func(s *settings) string { return s.Credentials.ServiceID }},
	{"service version id", "FLYTT_SERVICE_VERSION_ID", func(s *settings) string { return s.Credentials.ServiceVersionID }},
	{"client ct", "FLYTT_CLIENT_CT", func(s *settings) string { return s.Credentials.ClientCT }},
	{"client entity", "FLYTT_CLIENT_ENTITY", func(s *settings) string { return s.Credentials.ClientEntity }},
	{"client secret", "FLYTT_CLIENT_SECRET", func(s *settings) string {
		return cmp.Or(s.Credentials.secret, s.Credentials.ClientSecretFile)
	}},
}

// numeral returns n as text; "" for 0, which is not set.
func numeral[N int | float64](n N) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// checkSettings finds the settings and where each comes from.
func (d *doctor) checkSettings() {
	file, doc, err := readSettings()
	if err != nil {
		d.failed(groupSettings, "settings file", err, "mend the file")
		return
	}
	d.settingsFile(file)
	profile := doc.chosen(d.profile)
	d.profileCheck(doc, profile, file)
	from := origins{file: file, common: doc.Common, profile: profile, own: doc.Profiles[profile]} // before one is laid over the other
	if d.settings, err = loadSettings(d.profile); err != nil {
		d.failed(groupSettings, "settings", err, "mend the setting")
	} else {
		d.values(&from)
		if !d.connection.sandbox {
			d.credentials(&from)
		}
	}
	d.whichResource(&from)
	d.directory()
}

func (d *doctor) settingsFile(file string) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		d.note(groupSettings, "settings file", statusOK, "no "+file+" here: flags and environment only", "")
		return
	}
	how := ""
	if os.Getenv("FLYTT_CONFIG") != "" {
		how = " (FLYTT_CONFIG)"
	}
	d.note(groupSettings, "settings file", statusOK, file+how, "")
}

func (d *doctor) profileCheck(doc *settingsDoc, profile, file string) {
	if profile == "" {
		return
	}
	how := file
	switch {
	case d.profile != "":
		how = "--profile"
	case os.Getenv("FLYTT_PROFILE") != "":
		how = "FLYTT_PROFILE"
	}
	if _, ok := doc.Profiles[profile]; ok { // what is wrong with another is told with the settings
		d.note(groupSettings, "profile", statusOK, profile+" ("+how+")", "")
	}
}

// origins know where a setting comes from.
type origins struct {
	file, profile string
	common, own   settings // of the file, and of its profile
}

// of returns where the value of a setting comes from: the name of a variable, or
// the file; "" if it is not set.
func (o *origins) of(s setting) string {
	switch {
	case os.Getenv(s.variable) != "":
		return s.variable
	case os.Getenv(s.variable+"_FILE") != "":
		return s.variable + "_FILE"
	case o.profile != "" && s.value(&o.own) != "":
		return o.file + ", profile " + o.profile
	case s.value(&o.common) != "":
		return o.file
	}
	return ""
}

// values lists the settings that are set, with their values.
func (d *doctor) values(from *origins) {
	for i, s := range shownSettings {
		value, origin := s.value(d.settings), from.of(s)
		if i == 0 {
			d.baseURL(value, origin)
		} else if value != "" {
			d.note(groupSettings, s.name, statusOK, value+" ("+origin+")", "")
		}
	}
	if err := d.settings.overlayRequests(0, 0); err != nil {
		d.failed(groupSettings, "requests", err, "mend the setting")
		d.settings = nil
	}
}

// baseURL checks the address of the API.
func (d *doctor) baseURL(value, origin string) {
	const name = "base URL"
	if d.connection.baseURL != "" {
		value, origin = d.connection.baseURL, "--base-url"
	}
	switch {
	case d.connection.sandbox && d.connection.baseURL != "":
		d.note(groupSettings, name, statusFail, "--sandbox and --base-url name two different places", "leave one of them out")
	case d.connection.sandbox:
		d.note(groupSettings, name, statusOK, "a sandbox on this machine ("+sandboxDB+")", "")
	case value == "":
		d.note(groupSettings, name, statusFail, "not set", "FLYTT_BASE_URL=dev, or base_url: dev in flytt.yaml; --sandbox to rehearse on this machine")
	default:
		u, err := api.ParseBaseURL(value)
		if err != nil {
			d.failed(groupSettings, name, err, "it is prod, dev, or like https://host")
			return
		}
		d.note(groupSettings, name, statusOK, u.String()+" ("+origin+")", "")
	}
}

// credentials checks that all seven are there and can be sent.
func (d *doctor) credentials(from *origins) {
	missing := false
	for _, s := range credentialSettings {
		missing = missing || s.value(d.settings) == ""
	}
	for i, s := range credentialSettings {
		var err error
		if last := i == len(credentialSettings)-1; last && !missing {
			_, err = d.settings.credentials() // reads the file of the secret
		}
		switch {
		case s.value(d.settings) == "":
			d.note(groupSettings, s.name, statusFail, "not set", s.remedy())
		case err != nil:
			d.failed(groupSettings, s.name, err, "mend the setting")
		default:
			d.note(groupSettings, s.name, statusOK, "set ("+from.of(s)+")", "")
		}
	}
}

// remedy says how to set a credential. Secrets are better kept in files.
func (s setting) remedy() string {
	if s.variable == "FLYTT_CLIENT_SECRET" {
		return "set " + s.variable + ", or " + s.variable + "_FILE"
	}
	return "set " + s.variable
}

func (d *doctor) whichResource(from *origins) {
	name, origin := d.resourceName, "--resource"
	if name == "" && d.settings != nil && d.settings.Resource != "" {
		name, origin = d.settings.Resource, from.of(resourceSetting)
	}
	if name == "" {
		origin = "the only one"
	}
	var err error
	if d.resource, err = resourceCalled(name); err != nil {
		d.failed(groupSettings, "resource", err, "flytt schema lists the resources")
		return
	}
	d.note(groupSettings, "resource", statusOK, d.resource.Name+" ("+origin+")", "")
}

// littleSpace is how much room on the disk is little: what a run writes down is
// about as large as its input.
const littleSpace = 1 << 30

// directory checks that runs can be written down here.
func (d *doctor) directory() {
	const name = "run directory"
	parent := "."
	if info, err := os.Stat(runsDir); err == nil && info.IsDir() {
		parent = runsDir
	}
	probe, err := os.MkdirTemp(parent, ".flytt-doctor-*")
	if err == nil {
		err = os.Remove(probe)
	}
	if err != nil {
		d.note(groupSettings, name, statusFail, runsDir+" cannot be written: "+pathCause(err).Error(), "work in a directory of your own, or give each run its --run-dir")
		return
	}
	text := runsDir + " can be written"
	free, known := freeSpace(parent)
	switch {
	case !known:
		d.note(groupSettings, name, statusOK, text, "")
	case free < littleSpace:
		d.note(groupSettings, name, statusWarn, text+"; "+bytesText(free)+" free", "a run writes about as much as it reads: make room")
	default:
		d.note(groupSettings, name, statusOK, text+"; "+bytesText(free)+" free", "")
	}
}

// bytesText returns n bytes in whole units.
func bytesText(n uint64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return strconv.FormatUint(n, 10) + " bytes"
	}
	unit := 0
	for n >>= 10; n >= 1<<10 && unit < len(units)-1; n >>= 10 {
		unit++
	}
	return strconv.FormatUint(n, 10) + " " + units[unit:unit+1] + "iB"
}
