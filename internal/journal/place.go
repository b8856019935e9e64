package journal

import "path/filepath"

// checkLocal returns an error if a journal at path would lie on a network file system:
// locks and syncs are not what they should be there.
func checkLocal(path string) error {
	kind, err := networkKind(filepath.Dir(path))
	if err != nil {
		return wrapError(path, "looking at its file system", err)
	}
	if kind == "" {
		return nil
	}
	return refusedPlace(path, kind)
}

// refusedPlace is the error for a file system of that kind.
func refusedPlace(path, kind string) error {
	return &Error{
		Place:  "journal " + path,
		Err:    &cause{ErrNetwork.Error() + " (" + kind + "), where neither locks nor syncs can be relied on", ErrNetwork},
		Advice: "name a directory on a local disk with --run-dir",
	}
}
