package report

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"flytt/internal/osfile"
)

// Manifest describes an exported file and how it was made. It lies beside the file, for
// its users and for the next export, and is as private as the file, because it has the
// filter as it was given.
type Manifest struct {
	File     string           `json:"file"` // base name
	Run      string           `json:"run"`
	Tool     string           `json:"tool"`     // name and version of the program
	Target   string           `json:"target"`   // host the rows came from
	Tenant   string           `json:"tenant"`   // customer id
	Resource string           `json:"resource"` // what the rows are
	Filter   []string         `json:"filter"`   // as they were sent: field__operator=value
	Search   string           `json:"search"`
	Order    []string         `json:"order"` // as it was asked for; created_at, id if it was not
	Limit    int64            `json:"limit"` // of rows; 0: none
	Columns  []ManifestColumn `json:"columns"`

	Rows       int64  `json:"rows"`
	Bytes      int64  `json:"bytes"`
	SHA256     string `json:"sha256"`             // of the file, in hexadecimal
	First      string `json:"first_created_at"`   // the smallest; empty: not known
	Last       string `json:"last_created_at"`    // the largest
	Duplicates int64  `json:"duplicates_dropped"` // records that came again
	Drifts     int64  `json:"drifts"`             // times the list changed under the reading and was read again
	Complete   bool   `json:"complete"`           // proved: no record that stood still is missing
	Doubt      string `json:"doubt,omitempty"`    // why not
	ServerTime string `json:"server_time"`        // of the first answer; RFC 3339, empty: the server did not say
	Started    string `json:"started"`            // by the clock here; RFC 3339
	Requests   int64  `json:"requests"`           // made for it
	Mapping    string `json:"mapping,omitempty"`  // name of the mapping file
	MappingSum string `json:"mapping_sha256,omitempty"`
}

// ManifestColumn is a column of the file.
type ManifestColumn struct {
	Name string `json:"name"`
	Type string `json:"type"` // as a resource descriptor names it
}

// ManifestPath returns where the manifest of file lies.
func ManifestPath(file string) string { return file + ".manifest.json" }

// CheckManifest returns an error if the manifest of file cannot be written, because
// something other than a file is in its place.
func CheckManifest(file string) error {
	path := ManifestPath(file)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("manifest %s: %w", path, osfile.Cause(err))
	case !info.Mode().IsRegular():
		return fmt.Errorf("manifest %s: something else than a file is in its place", path)
	}
	return nil
}

// ReadManifest reads the manifest of file. It is nil if there is none, or if it belongs
// to another file: one of another size.
func ReadManifest(file string) (*Manifest, error) {
	path := ManifestPath(file)
	m, err := osfile.ReadJSON(path, "manifest "+path, "a manifest of flytt", func(*Manifest) bool { return true })
	if m == nil || err != nil {
		return nil, err
	}
	if info, err := os.Stat(file); err != nil || info.Size() != m.Bytes {
		return nil, nil
	}
	return m, nil
}

// SameQuery reports whether m and n answer the same question, so that their
// numbers of rows can be compared.
func (m *Manifest) SameQuery(n *Manifest) bool {
	return m.Target == n.Target && m.Tenant == n.Tenant && m.Resource == n.Resource &&
		slices.Equal(m.Filter, n.Filter) && m.Search == n.Search && m.Limit == n.Limit && m.MappingSum == n.MappingSum
}

// Write puts m beside file: whole or not at all, in place of an older one, for
// its owner alone.
func (m *Manifest) Write(file string) error {
	if m.Filter == nil {
		m.Filter = []string{}
	}
	data, err := indented(m)
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	path := ManifestPath(file)
	temp := filepath.Join(filepath.Dir(path), ".flytt-"+rand.Text()+".tmp")
	if err := osfile.Replace(path, temp, data); err != nil {
		return fmt.Errorf("manifest %s: %w", path, osfile.Cause(err))
	}
	return nil
}

// Timestamp returns t as a manifest holds it; empty for the zero time.
func Timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
