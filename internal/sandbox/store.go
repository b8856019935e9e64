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

// store is the database: one connection that writes, one transaction for each request,
// and several that read. With the write-ahead log a reader sees the rows as they were
// when it started, and neither waits for the other.
type store struct {
	writer  *sql.DB
	readers *sql.DB
	dir     string // temporary directory to remove, or empty
	name    string // of the file, for errors

	prepared map[string]*sql.Stmt // on the writer, by text; complete before the first request

	positions *positions // of the pages of lists that an index has in order
	rankings  *rankings  // of the rows of all other lists
}

// readerConns bounds the connections that read; more requests wait.
const readerConns = 16

// openStore opens the database file, or a temporary one. In SQLite's own memory
// databases a slow reader blocks every writer, so the temporary database is a file too,
// in a directory that only the user can read, never flushed to disk.
func openStore(file string) (*store, error) {
	if err := registerFoldings(); err != nil {
		return nil, err
	}
	s := &store{name: file, prepared: map[string]*sql.Stmt{}, positions: newPositions()}
	pragmas := []string{"busy_timeout(10000)", "journal_mode(WAL)", "wal_autocheckpoint(4000)"}
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
	s.rankings = newRankings(s.dir)
	err := s.open(file, pragmas)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *store) open(file string, pragmas []string) error {
	if err := ensure(file); err != nil {
		return err
	}
	var err error
	if s.writer, err = sql.Open("sqlite", dsn(file, append(pragmas, "cache_size(-32000)"))+"&_txlock=immediate"); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if s.readers, err = sql.Open("sqlite", dsn(file, append(pragmas, "query_only(1)", "cache_size(-4000)"))); err != nil {
		return err
	}
	s.readers.SetMaxOpenConns(readerConns)
	s.readers.SetMaxIdleConns(readerConns / 2)
	if _, err := s.writer.Exec(ownTables); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// ownTables are the tables besides those of the resources: the tenants; how often each
// resource's table was written, by new rows only and in other ways; and the ids of
// related records that are known to exist.
const ownTables = `
CREATE TABLE IF NOT EXISTS _tenants (id INTEGER PRIMARY KEY, customer TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS _versions (name TEXT PRIMARY KEY, added INTEGER NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _related (tenant INTEGER, resource TEXT, id BLOB, PRIMARY KEY (tenant, resource, id)) WITHOUT ROWID;
`

// ensure creates the file, readable by its owner only, if it does not exist. The files
// that SQLite puts beside it get the same mode.
func ensure(file string) error {
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

// dsn returns a name for file in which no character of its path has a meaning.
func dsn(file string, pragmas []string) string {
	q := url.Values{"_pragma": pragmas, "_dqs": {"false"}}
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(file)) + "?" + q.Encode()
}

func (s *store) close() error {
	errs := []error{s.rankings.close()}
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
		return fmt.Errorf("%s: the table of %s has other fields than its descriptor; move the file away to start again", s.name, t.resource.Name)
	}
	if _, err := s.writer.Exec("INSERT INTO _versions VALUES (?,0,0) ON CONFLICT DO NOTHING", t.resource.Path); err != nil {
		return err
	}
	for _, text := range []string{t.sql.insert, t.sql.update, t.sql.remove, t.sql.get, t.sql.seed, touch, known, relate} {
		if s.prepared[text] != nil {
			continue
		}
		st, err := s.writer.Prepare(text)
		if err != nil {
			return err
		}
		s.prepared[text] = st
	}
	return nil
}

// version identifies the state of a table: it changes with every write.
type version struct {
	added   int64 // transactions that only added rows
	changed int64 // all others
}

// touch is the SQL that counts a write. Parameters: how much each part of the
// version grows by, the path of the resource.
const touch = "UPDATE _versions SET added=added+?, changed=changed+? WHERE name=?"

// write runs f in a transaction on t, one at a time. A client that goes away does not
// end it: a server finishes what it has begun to write.
func (s *store) write(t *table, f func(tx *transaction) error) error {
	tx, err := s.writer.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	w := &transaction{tx: tx, store: s, table: t}
	if err := f(w); err != nil {
		return err
	}
	if _, err := w.statement(touch).Exec(truth(!w.changes), truth(w.changes), t.resource.Path); err != nil {
		return err
	}
	return tx.Commit()
}

// transaction is a write under way.
type transaction struct {
	tx      *sql.Tx
	store   *store
	table   *table
	changes bool // rows that were there, not only new ones
}

// statement returns a prepared statement for the use of the transaction.
func (tx *transaction) statement(text string) *sql.Stmt {
	if text == tx.table.sql.update || text == tx.table.sql.remove {
		tx.changes = true
	}
	return tx.tx.Stmt(tx.store.prepared[text])
}

// snapshot starts to read: everything read through the transaction is as it was then,
// at the returned version.
func (s *store) snapshot(ctx context.Context, t *table) (tx *sql.Tx, v version, err error) {
	if tx, err = s.readers.BeginTx(ctx, nil); err != nil {
		return nil, v, err
	}
	const at = "SELECT added, changed FROM _versions WHERE name=?"
	if err = tx.QueryRowContext(ctx, at, t.resource.Path).Scan(&v.added, &v.changed); err != nil {
		_ = tx.Rollback()
		return nil, v, err
	}
	return tx, v, nil
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

// registerFoldings gives SQLite the functions of foldings.
var registerFoldings = sync.OnceValue(func() error {
	for _, f := range foldings {
		if err := sqlite.RegisterDeterministicScalarFunction(f.function, 1, f.call); err != nil {
			return err
		}
	}
	return nil
})

// call is the folding as SQLite calls it. What is no text stays as it is.
func (f folding) call(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	if text, ok := args[0].(string); ok {
		return f.fold(text), nil
	}
	return args[0], nil
}

// fold makes texts equal that differ in case only.
func fold(text string) string { return strings.ToLower(text) }
