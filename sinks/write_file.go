package sinks

import "errors"

// Fit returns nil if WriteFile can be expected to write to path as o asks, and
// otherwise why not, a *pipeline.UsageError. It creates nothing.
func Fit(path string, o *FileOptions) error {
	_, err := examine(path, o)
	return err
}

// WriteFile writes data to a file by the rules of outputs: it appears whole or not
// at all, is its owner's alone, and takes the place of another only if o says so,
// never that of one of o.Inputs. What cannot work is a *pipeline.UsageError.
func WriteFile(path string, data []byte, o *FileOptions) error {
	to, err := examine(path, o)
	if err != nil {
		return err
	}
	out, err := to.open()
	if err != nil {
		return err
	}
	if err = out.write(data); err == nil {
		err = out.commit()
	}
	if err != nil {
		_, abortErr := out.abort()
		return errors.Join(err, abortErr)
	}
	return nil
}
