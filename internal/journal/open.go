package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"flytt/internal/osfile"
)

// writePragmas open the database for writing: by one process, with a write-ahead log
// that is synced at every commit and holds only committed data.
var writePragmas = []string{
	"busy_timeout(2000)", "locking_mode(exclusive)", "journal_mode(wal)", "synchronous(full)", "fullfsync(1)",
	"cache_spill(0)", "cell_size_check(1)", "trusted_schema(0)",
}

// createPragmas open the database while it is created under a temporary name.
var createPragmas = []string{"journal_mode(delete)", "synchronous(full)", "fullfsync(1)"}

// readPragmas open the database for reading.
var readPragmas = []string{"busy_timeout(2000)", "query_only(1)", "cell_size_check(1)", "trusted_schema(0)"}

// Create makes the journal of a run at path, where none is yet, and opens it. The
// header is never changed; its Format is set here.
func Create(path string, h Header, k *Key) (*Journal, error) {
	return openLocked(path, k, false, func(j *Journal) error {
		switch _, err := os.Lstat(path); {
		case err == nil:
			return &cause{"there is one already", fs.ErrExist}
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		h.Format = Format
		if err := create(path, h, k); err != nil {
			return err
		}
		return j.openForWriting()
	})
}

// Open opens the journal at path so that its run can be resumed. It reads all of it
// and refuses a journal in which a record is missing, older than the others, or not as
// it was written.
func Open(path string, k *Key) (*Journal, error) {
	if _, err := os.Lstat(path); err != nil {
		return nil, wrapError(path, "", err)
	}
	return openLocked(path, k, false, (*Journal).openForWriting)
}

// Read opens the journal at path to be read. It changes nothing in it. What is
// wrong with it beyond its header shows when it is first looked into.
func Read(path string, k *Key) (*Journal, error) {
	if _, err := os.Lstat(path); err != nil {
		return nil, wrapError(path, "", err)
	}
	return openLocked(path, k, true, func(j *Journal) error {
		lost, err := checkFiles(path)
		if err != nil {
			return err
		}
		parameters := url.Values{"_pragma": readPragmas, "mode": {"ro"}}
		if info, err := os.Stat(path + walSuffix); lost || err == nil && info.Size() == 0 {
			parameters.Set("immutable", "1") // no log to look at, and none to make
		}
		if err := j.store.open(parameters, k); err != nil {
			return err
		}
		return j.store.checkLogPresent(lost)
	})
}

// openLocked locks the journal, calls open, and starts the goroutine that owns the
// store.
func openLocked(path string, k *Key, readOnly bool, open func(*Journal) error) (*Journal, error) {
	j := &Journal{path: path, key: k, store: &store{path: path}, readOnly: readOnly, queue: make(chan *op, queueSize)}
	if !readOnly {
		if err := checkLocal(path); err != nil {
			return nil, err
		}
	}
	var err error
	if j.lock, err = lock(path, readOnly); err != nil {
		return nil, err
	}
	if err := open(j); err != nil {
		return nil, errors.Join(wrapError(path, "", err), j.store.close(), unlock(j.lock, readOnly))
	}
	j.owner.Go(j.serveQueue)
	return j, nil
}

// openForWriting opens the database, checks all of its records, and marks it as open.
func (j *Journal) openForWriting() error {
	lost, err := checkFiles(j.path)
	if err != nil {
		return err
	}
	if lost {
		if err := checkNotLost(j.path, j.key); err != nil {
			return err
		}
	}
	s := j.store
	if err := s.open(url.Values{"_pragma": writePragmas}, j.key); err != nil {
		return err
	}
	if err := s.checkPragma("journal_mode", "wal"); err != nil {
		return err
	}
	if err := s.checkPragma("locking_mode", "exclusive"); err != nil {
		return err
	}
	if err := s.verify(j.known.add); err != nil {
		return err
	}
	return s.markOpen()
}

// create makes the file of a journal, whole or not at all.
func create(path string, h Header, k *Key) error {
	made := path + ".new"
	if err := errors.Join(osfile.Discard(made), osfile.Discard(made+"-journal")); err != nil {
		return err
	}
	f, err := os.OpenFile(made, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := initialize(made, h, k); err != nil {
		return errors.Join(err, os.Remove(made))
	}
	if err := os.Rename(made, path); err != nil {
		return errors.Join(err, os.Remove(made))
	}
	return syncDir(filepath.Dir(path))
}

// initialize creates the tables, the header and the ledger in an empty file.
func initialize(path string, h Header, k *Key) (err error) {
	s := &store{path: path}
	if s.db, s.conn, err = connect(path, url.Values{"_pragma": createPragmas}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.exec("begin immediate"); err != nil {
		return err
	}
	for _, statement := range schema {
		if err := s.exec(statement); err != nil {
			return err
		}
	}
	salt := make([]byte, keySize)
	rand.Read(salt) // never fails
	if err := s.writeHeader(h, k, salt); err != nil {
		return err
	}
	return s.exec("commit")
}

// checkFiles checks the files of a journal before SQLite opens them. It reports
// whether the write-ahead log is missing.
func checkFiles(path string) (lost bool, err error) {
	if err := checkFile(path); err != nil {
		return false, err
	}
	err = checkLog(path + walSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}

// checkNotLost refuses a journal without a write-ahead log if it should have one. It
// opens the database in a way that does not create a log.
func checkNotLost(path string, k *Key) (err error) {
	s := &store{path: path}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(url.Values{"_pragma": readPragmas, "mode": {"ro"}, "immutable": {"1"}}, k); err != nil {
		return err
	}
	return s.checkLogPresent(true)
}

// checkLogPresent returns ErrDamaged if the journal was not closed and its write-ahead
// log is missing.
func (s *store) checkLogPresent(lost bool) error {
	if lost && s.ledger.Open {
		return damaged("what was written last stands in a file that is missing, " + filepath.Base(s.path) + walSuffix)
	}
	return nil
}

// checkFile refuses a file that is not a journal of this format, by the head of
// SQLite's file format: what a journal of another format is like is not known.
func checkFile(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return ErrNotJournal
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 100)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:16]) != "SQLite format 3\x00" {
		return ErrNotJournal
	}
	if binary.BigEndian.Uint32(head[68:]) != application {
		return ErrNotJournal
	}
	return checkVersion(path, int32(binary.BigEndian.Uint32(head[60:])))
}

// checkVersion refuses formats that are not read.
func checkVersion(path string, version int32) error {
	if version == Format {
		return nil
	}
	text := fmt.Sprintf("its format is version %d, and this flytt reads version %d", version, Format)
	way := "resume it with the version of flytt that wrote it, or a newer one"
	if version < Format {
		way = "resume it with the version of flytt that wrote it"
	}
	return &Error{Place: "journal " + path, Err: &cause{text, ErrVersion}, Advice: way}
}

// open opens the database, and reads and checks its header and ledger.
func (s *store) open(parameters url.Values, k *Key) (err error) {
	if s.db, s.conn, err = connect(s.path, parameters); err != nil {
		return err
	}
	if err := s.keepLog(); err != nil {
		return err
	}
	if err := s.readHeader(k); err != nil {
		return err
	}
	return s.prepare()
}

// keepLog keeps SQLite from removing the log when the database is closed: without
// one, a journal that was not left in order is refused.
func (s *store) keepLog() error {
	return s.conn.Raw(func(driver any) error {
		_, err := driver.(sqlite.FileControl).FileControlPersistWAL("main", 1)
		return err
	})
}

// checkPragma returns an error unless the pragma has the value want.
func (s *store) checkPragma(pragma, want string) error {
	var is string
	if err := s.conn.QueryRowContext(background, "pragma "+pragma).Scan(&is); err != nil {
		return err
	}
	if is != want {
		return fmt.Errorf("SQLite's %s is %s, not %s", pragma, is, want)
	}
	return nil
}

// verify reads all records and compares them with the ledger: each has to be there, as
// it was last written. It calls known with the number of each chunk.
func (s *store) verify(known func(int64)) error {
	var whole string
	if err := s.conn.QueryRowContext(background, "pragma quick_check(1)").Scan(&whole); err != nil {
		return err
	}
	if whole != "ok" {
		return damaged("SQLite finds its pages out of order")
	}
	var found ledger
	for next := int64(0); ; {
		rows, err := s.page(next, pageSize)
		if err != nil {
			return err
		}
		for i := range rows {
			mac, err := s.check(chunkKind, &rows[i])
			if err != nil {
				return err
			}
			known(rows[i].seq)
			found.Chunks++
			found.Total.toggle(mac)
		}
		if len(rows) < pageSize {
			break
		}
		next = rows[len(rows)-1].seq + 1
	}
	if found.Chunks != s.ledger.Chunks || found.Total != s.ledger.Total {
		return damaged(fmt.Sprintf("its records are not those that were written last (%d of %d)", found.Chunks, s.ledger.Chunks))
	}
	s.verified = true
	return nil
}

// markOpen records in the database itself, not only in its log, that a process has the
// journal open. It empties the log, so that a damaged end of it is gone.
func (s *store) markOpen() error {
	if err := s.checkpoint(); err != nil {
		return err
	}
	return s.setOpen(true)
}

// setOpen records whether a process has the journal open, and moves everything from the
// log into the database.
func (s *store) setOpen(open bool) error {
	if err := s.exec("begin immediate"); err != nil {
		return err
	}
	s.ledger.Open = open
	if err := s.commit(); err != nil {
		return err
	}
	return s.checkpoint()
}
