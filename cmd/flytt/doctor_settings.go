package main

import (
	"errors"
	"io/fs"
	"os"

	"flytt/internal/api"
	"flytt/internal/doctor"
	"flytt/internal/run"
)

// checkSettings finds the settings and where each comes from.
func (d *examination) checkSettings() {
	file, doc, err := readSettings()
	if err != nil {
		d.wrongSetting("settings file", err, "fix the file")
		return
	}
	d.settingsFile(file)
	profile := doc.chosen(d.profile)
	d.profileCheck(doc, profile, file)
	from := origins{file: file, common: doc.Common, profile: profile, own: doc.Profiles[profile]} // before one is laid over the other
	if d.settings, err = loadSettings(d.profile); err != nil {
		d.wrongSetting("settings", err, "fix the setting")
	} else {
		d.values(&from)
		if !d.place.Sandbox {
			d.credentials(&from)
		}
	}
	d.whichResource(&from)
	d.runsDirectory()
}

// runsDirectory checks that runs can be written down.
func (d *examination) runsDirectory() {
	store, err := d.app.store()
	if err != nil {
		return // the settings cannot be read, which is noted
	}
	dir, err := store.Dir()
	if err != nil {
		d.wrongSetting("run directory", err, "set runs_dir")
		return
	}
	d.note(doctor.Directory(shorten(dir)))
}

func (d *examination) settingsFile(file string) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		d.setting("settings file", doctor.OK, "no "+file+" here: flags and environment only", "")
		return
	}
	how := ""
	if os.Getenv("FLYTT_CONFIG") != "" {
		how = " (FLYTT_CONFIG)"
	}
	d.setting("settings file", doctor.OK, file+how, "")
}

func (d *examination) profileCheck(doc *settingsDoc, profile, file string) {
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
		d.setting("profile", doctor.OK, profile+" ("+how+")", "")
	}
}

// origins know where a setting comes from.
type origins struct {
	file, profile string
	common, own   run.Settings // of the file, and of its profile
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

func (d *examination) values(from *origins) {
	for i, s := range shownSettings {
		value, origin := s.value(d.settings), from.of(s)
		if i == 0 {
			d.baseURL(value, origin)
		} else if value != "" {
			d.setting(s.name, doctor.OK, value+" ("+origin+")", "")
		}
	}
	if err := d.settings.CompleteRequests(0, 0); err != nil {
		d.wrongSetting("requests", err, "fix the setting")
		d.settings = nil
	}
}

func (d *examination) baseURL(value, origin string) {
	const name = "base URL"
	if d.place.BaseURL != "" {
		value, origin = d.place.BaseURL, "--base-url"
	}
	switch {
	case d.place.Sandbox && d.place.BaseURL != "":
		d.setting(name, doctor.Fail, "--sandbox and --base-url name two different places", "leave one of them out")
	case d.place.Sandbox:
		d.setting(name, doctor.OK, "a sandbox on this machine ("+run.SandboxDB+")", "")
	case value == "":
		d.setting(name, doctor.Fail, "not set", "FLYTT_BASE_URL=dev, or base_url: dev in flytt.yaml; --sandbox to rehearse on this machine")
	default:
		u, err := api.ParseBaseURL(value)
		if err != nil {
			d.wrongSetting(name, err, "it is prod, dev, or like https://host")
			return
		}
		d.setting(name, doctor.OK, u.String()+" ("+origin+")", "")
	}
}

// credentials checks that all seven are there and can be sent.
func (d *examination) credentials(from *origins) {
	missing := false
	for _, s := range credentialSettings {
		missing = missing || s.value(d.settings) == ""
	}
	for i, s := range credentialSettings {
		var err error
		if last := i == len(credentialSettings)-1; last && !missing {
			_, err = d.settings.Credentials.API() // reads the file of the secret
		}
		switch {
		case s.value(d.settings) == "":
			d.setting(s.name, doctor.Fail, "not set", s.remedy())
		case err != nil:
			d.wrongSetting(s.name, err, "fix the setting")
		default:
			d.setting(s.name, doctor.OK, "set ("+from.of(s)+")", "")
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

func (d *examination) whichResource(from *origins) {
	name, origin := d.resourceName, "--resource"
	if name == "" && d.settings != nil && d.settings.Resource != "" {
		name, origin = d.settings.Resource, from.of(resourceSetting)
	}
	if name == "" {
		origin = "the only one"
	}
	var err error
	if d.resource, err = run.ResourceCalled(name); err != nil {
		d.wrongSetting("resource", err, "flytt schema lists the resources")
		return
	}
	d.setting("resource", doctor.OK, d.resource.Name+" ("+origin+")", "")
}
