package sandbox

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/uuid"
	"modernc.org/sqlite"
)

// store is the database: one connection that writes, one transaction per
// request, and several that read. With the write-ahead log a reader sees the
// rows as they stood when it began, and neither waits for the other.
type store struct {
	writer  *sql.DB
	readers *sql.DB
	dir     string // temporary directory to remove, or empty
	name    string // of the file, for errors

	prepared map[string]*sql.Stmt // on the writer, by text; complete before the first request
}

// readerConns bounds the connections that read; more requests wait.
const readerConns = 16

// openStore opens the database file, or a temporary one. SQLite's own memory
// databases let a slow reader keep every writer out, so the temporary one is a
// file too, in a directory only the user can read, never flushed to disk.
func openStore(file string) (*store, error) {
	if err := registerFold(); err != nil {
		return nil, err
	}
	s := &store{name: file, prepared: map[string]*sql.Stmt{}}
	pragmas := []string{"busy_timeout(10000)", "journal_mode(WAL)", "cache_size(-32000)", "wal_autocheckpoint(4000)"}
	if file == "" {
		dir, err := os.MkdirTemp("", "flytt-sandbox-")
		if err != nil {
			return nil, err
		}
		s.dir, file = dir, filepath.Join(dir, "sandbox.db")
		pragmas = append(pragmas, "synchronous(OFF)")
	} else {
		pragmas = append(pragmas, "synchronous(NORMAL)")
	}
	err := s.open(file, pragmas)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *store) open(file string, pragmas []string) error {
	if err := touch(file); err != nil {
		return err
	}
	var err error
	if s.writer, err = sql.Open("sqlite", dsn(file, pragmas)+"&_txlock=immediate"); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if s.readers, err = sql.Open("sqlite", dsn(file, append(pragmas, "query_only(1)"))); err != nil {
		return err
	}
	s.readers.SetMaxOpenConns(readerConns)
	s.readers.SetMaxIdleConns(readerConns / 2)
	const tenants = "CREATE TABLE IF NOT EXISTS _tenants (id INTEGER PRIMARY KEY, customer TEXT NOT NULL UNIQUE)"
	if _, err := s.writer.Exec(tenants); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// touch makes the file, readable by its owner only, if it is not there; the
// files SQLite puts beside it get the same mode.
func touch(file string) error {
	info, err := os.Lstat(file)
	if err == nil {
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s: not a regular file", file)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// dsn names file so that no character of its path has a meaning.
func dsn(file string, pragmas []string) string {
	q := url.Values{"_pragma": pragmas, "_dqs": {"false"}}
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(file)) + "?" + q.Encode()
}

func (s *store) close() error {
	var errs []error
	for _, st := range s.prepared {
		errs = append(errs, st.Close())
	}
	for _, db := range []*sql.DB{s.readers, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// tenant returns the number that stands for a customer.
func (s *store) tenant(customer string) (id int64, err error) {
	const add = "INSERT INTO _tenants (customer) VALUES (?) ON CONFLICT DO NOTHING"
	if _, err := s.writer.Exec(add, customer); err != nil {
		return 0, err
	}
	err = s.writer.QueryRow("SELECT id FROM _tenants WHERE customer=?", customer).Scan(&id)
	return id, err
}

// create makes the table of t, or checks that it is the one the descriptor
// means.
func (s *store) create(t *table) error {
	for _, text := range t.sql.create {
		if _, err := s.writer.Exec(text); err != nil {
			return err
		}
	}
	var columns string
	const names = "SELECT group_concat(name) FROM (SELECT name FROM pragma_table_info(?) ORDER BY cid)"
	if err := s.writer.QueryRow(names, strings.Trim(t.resource.Path, "/")).Scan(&columns); err != nil {
		return err
	}
	if columns != t.sql.columns {
		return fmt.Errorf("%s: the table of %s has other fields than its descriptor; move the file away to start anew", s.name, t.resource.Name)
	}
	for _, text := range []string{t.sql.insert, t.sql.update, t.sql.remove, t.sql.get} {
		st, err := s.writer.Prepare(text)
		if err != nil {
			return err
		}
		s.prepared[text] = st
	}
	return nil
}

// write runs f in a transaction, one at a time. It is not ended by a client
// that goes away: what a server has begun to write, it writes.
func (s *store) write(f func(tx *transaction) error) error {
	tx, err := s.writer.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if err := f(&transaction{tx, s}); err != nil {
		return err
	}
	return tx.Commit()
}

// transaction is a write under way.
type transaction struct {
	tx    *sql.Tx
	store *store
}

// statement returns a prepared statement for the use of the transaction.
func (tx *transaction) statement(text string) *sql.Stmt {
	return tx.tx.Stmt(tx.store.prepared[text])
}

// doc returns the stored object, nil if the tenant has no such row.
func (tx *transaction) doc(t *table, id uuid.UUID, tenant int64) ([]byte, error) {
	return scanDoc(tx.statement(t.sql.get).QueryRow(id[:], tenant))
}

// doc returns the stored object, nil if the tenant has no such row.
func (s *store) doc(t *table, id uuid.UUID, tenant int64) ([]byte, error) {
	return scanDoc(s.readers.QueryRow(t.sql.get, id[:], tenant))
}

func scanDoc(row *sql.Row) (doc []byte, err error) {
	err = row.Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return doc, err
}

// foldName is Unicode lower case as a function of SQL; SQLite's own lower
// knows A to Z only.
const foldName = "flytt_fold"

// registerFold gives SQLite the function foldName.
var registerFold = sync.OnceValue(func() error {
	return sqlite.RegisterDeterministicScalarFunction(foldName, 1,
		func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
			if text, ok := args[0].(string); ok {
				return fold(text), nil
			}
			return args[0], nil
		})
})

// fold makes texts equal that differ in case only.
func fold(text string) string { return strings.ToLower(text) }
