package run

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"flytt/internal/advice"
	"flytt/internal/api"
	"flytt/internal/api/list"
	"flytt/internal/osfile"
	"flytt/internal/runs"
)

// Settings are what does not change from run to run: what the settings file says, and
// the environment over it. Flags, which are other fields of a Spec, come before them.
type Settings struct {
	BaseURL     string           `yaml:"base_url"`
	Resource    string           `yaml:"resource"`
	Concurrency int              `yaml:"concurrency"`
	Rate        float64          `yaml:"rate"`
	ChunkRows   int              `yaml:"chunk_rows"`
	Bulk        BulkSettings     `yaml:"bulk"`
	List        ListSettings     `yaml:"list"`
	Compare     runs.Comparisons `yaml:"compare"` // forms in which fields are compared
	Credentials CredentialsSet   `yaml:"credentials"`

	Files []string `yaml:"-"` // that the settings were read from, and others of the program's own: no output may replace them
}

// BulkSettings say what the API does with a bulk request.
type BulkSettings struct {
	Atomicity string `yaml:"atomicity"` // all, partial or unknown
}

// ListSettings say how the API reads the address of a list.
type ListSettings struct {
	IsNull string `yaml:"isnull"` // how true is written in a filter by isnull: true, True, TRUE or 1
}

// CredentialsSet is the credentials, and where the secret is if it is in a file.
type CredentialsSet struct {
	Seven            api.Credentials `yaml:",inline"`
	ClientSecretFile string          `yaml:"client_secret_file"` // relative to the settings file
}

// noCredentials is what to do where some are missing.
const noCredentials = "set the variables, or use --sandbox to rehearse without any"

// API returns the seven, the secret read from its file if need be.
func (c CredentialsSet) API() (api.Credentials, error) {
	out := c.Seven
	if out.ClientSecret == "" && c.ClientSecretFile != "" {
		text, err := ReadSecret(c.ClientSecretFile)
		if err != nil {
			return api.Credentials{}, advice.Usage(err, cmp.Or(advice.HintOf(err), "client_secret_file in the settings names the file"))
		}
		out.ClientSecret = text
	}
	if err := out.Validate(); err != nil {
		return out, advice.Usage(err, noCredentials)
	}
	return out, nil
}

// ReadSecret returns what is in a file that its owner alone may read, without the line
// end.
func ReadSecret(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, osfile.Cause(err))
	}
	if osfile.OthersCanRead(info) {
		return "", advice.Usagef("chmod 600 "+advice.Quote(file), "%s: other users can read this secret", file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, osfile.Cause(err))
	}
	return strings.TrimRight(string(data), "\r\n"), nil
}

// CompleteRequests lays how fast requests are made, which flags may say, over s, and the
// defaults below.
func (s *Settings) CompleteRequests(concurrency int, rate float64) error {
	s.Concurrency = cmp.Or(concurrency, s.Concurrency, DefaultConcurrency)
	s.Rate = cmp.Or(rate, s.Rate)
	switch {
	case s.Concurrency < 1 || s.Concurrency > maxConcurrency:
		return advice.Usagef(fmt.Sprintf("use a number from 1 to %d", maxConcurrency), "--concurrency %d is out of range", s.Concurrency)
	case !(s.Rate >= 0): // NaN, too
		return advice.Usagef("give requests per second, above 0", "--rate cannot be below 0")
	}
	return nil
}

// completeWrites is CompleteRequests for rows that are written, which are rows in a chunk
// unless it is said.
func (s *Settings) completeWrites(w *Write, rows int) error {
	s.ChunkRows = cmp.Or(w.ChunkRows, s.ChunkRows, rows)
	if s.ChunkRows < 1 || s.ChunkRows > maxChunkRows {
		return advice.Usagef(fmt.Sprintf("use a number from 1 to %d", maxChunkRows), "--chunk-rows %d is out of range", s.ChunkRows)
	}
	if err := w.check(); err != nil {
		return err
	}
	return s.CompleteRequests(w.Concurrency, w.Rate)
}

// setIsNull tells q how the API writes true and false in a filter by isnull.
func (s *Settings) setIsNull(q *list.Query) error {
	pairs := map[string]string{"true": "false", "True": "False", "TRUE": "FALSE", "1": "0"}
	if s.List.IsNull == "" {
		return nil
	}
	no, ok := pairs[s.List.IsNull]
	if !ok {
		return advice.Usagef("use true, True, TRUE or 1", "isnull in the settings: %s is not a way to write true", s.List.IsNull)
	}
	q.SetIsNull(s.List.IsNull, no)
	return nil
}
