package runs

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"flytt/internal/advice"
	"flytt/internal/osfile"
	"flytt/internal/report"
)

// childrenFile is the file of a run directory that has the paths of the runs that belong to
// the run and are not beside it: one JSON string on each line.
const childrenFile = "children.jsonl"

// readChildren reads the runs that belong to the one at path and are elsewhere. Runs that
// no longer exist are left out.
func (s *Store) readChildren(path string) ([]*Record, error) {
	data, err := os.ReadFile(filepath.Join(path, childrenFile))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	var runs []*Record
	for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		var child string
		if json.Unmarshal(line, &child) != nil || !report.IsRun(child) {
			continue
		}
		r, err := s.Read(child)
		if err != nil {
			return nil, incomplete("%s, which belongs to %s: %w", child, path, err)
		}
		runs = append(runs, r)
	}
	return runs, nil
}

// LinkChild notes in the run at path that the one at child belongs to it, unless it is
// found beside it.
func LinkChild(path, child string) error {
	if filepath.Dir(path) == filepath.Dir(child) {
		return nil
	}
	line, err := json.Marshal(child)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(path, childrenFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return advice.Errorf("%s of the run: %w", childrenFile, osfile.Cause(err))
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}
