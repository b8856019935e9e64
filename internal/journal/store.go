package journal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"flytt/internal/packed"
)

const (
	// Format is the version of the format that is written and read.
	Format = 1

	// application marks a SQLite file as a journal: "flyt".
	application = 0x666c7974

	// leastSQLite is the first release whose write-ahead log does not lose the last
	// write if a checkpoint happens at the same time.
	leastSQLite = "3.51.3"
)

// schema is all tables. No index but the tables themselves: what is not there
// twice cannot differ.
var schema = []string{
	fmt.Sprintf("pragma application_id = %d", application),
	fmt.Sprintf("pragma user_version = %d", Format),
	`create table header (id integer primary key check (id = 1), body blob not null, salt blob not null, proof blob not null, mac blob not null, sum blob not null)`,
	`create table ledger (id integer primary key check (id = 1), body blob not null, mac blob not null)`,
	`create table chunk (seq integer primary key, body blob not null, mac blob not null)`,
	`create table image (seq integer not null, n integer not null, body blob not null, primary key (seq, n)) without rowid`,
}

// Kinds of records, in their checksums and in what is encrypted.
const (
	headerKind = 'h'
	ledgerKind = 'l'
	chunkKind  = 'c'
	imageKind  = 'i'
	notesKind  = 'n'
)

// ledger is the one record about all others. It changes with each of them, in the same
// transaction, so that pages of different ages do not match it.
type ledger struct {
	Chunks  int64
	Total   digest // XOR of the checksums of the chunks
	Open    bool   // a process has it open, or died without closing it
	Outcome string
}

func (l *ledger) encode() []byte {
	b := binary.AppendVarint(nil, l.Chunks)
	b = append(b, l.Total[:]...)
	open := byte(0)
	if l.Open {
		open = 1
	}
	return packed.AppendBytes(append(b, open), []byte(l.Outcome))
}

func (l *ledger) decode(b []byte) error {
	d := packed.Reader{Rest: b}
	l.Chunks = d.Varint()
	copy(l.Total[:], d.Take(uint64(len(l.Total))))
	l.Open = d.Byte() == 1
	l.Outcome = string(d.Bytes())
	return ended(&d)
}

// store is the database of a journal. Only one goroutine at a time uses it, except to
// encrypt and decrypt.
type store struct {
	path   string
	db     *sql.DB
	conn   *sql.Conn
	macs   *macs       // of records
	aead   cipher.AEAD // of notes and images
	header Header
	ledger ledger

	verified bool // all records were read and are intact

	getChunk, putChunk, pageOfChunks, putImage, imagesOf, putLedger *sql.Stmt
}

// background is what statements run under: a journal is not left half way.
var background = context.Background()

// connect opens the database with one connection.
func connect(path string, parameters url.Values) (*sql.DB, *sql.Conn, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, nil, err
	}
	name := filepath.ToSlash(abs)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // C:/…
	}
	u := url.URL{Scheme: "file", Path: name, RawQuery: parameters.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(background)
	if err == nil {
		err = checkSQLite(conn)
	}
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, conn, nil
}

// checkSQLite returns an error if SQLite is too old.
func checkSQLite(conn *sql.Conn) error {
	var version string
	if err := conn.QueryRowContext(background, "select sqlite_version()").Scan(&version); err != nil {
		return err
	}
	if olderThan(version, leastSQLite) {
		return fmt.Errorf("SQLite %s is older than %s", version, leastSQLite)
	}
	return nil
}

// olderThan compares versions: numbers between points.
func olderThan(version, least string) bool {
	v, l := strings.Split(version, "."), strings.Split(least, ".")
	for i := range l {
		if i >= len(v) {
			return true
		}
		a, _ := strconv.Atoi(v[i]) // what is no number is old
		b, _ := strconv.Atoi(l[i])
		if a != b {
			return a < b
		}
	}
	return false
}

// deriveKeys derives the keys of this journal from k and the journal's salt.
func (s *store) deriveKeys(k *Key, salt []byte) error {
	block, err := aes.NewCipher(derive(k.secret, salt, "encryption"))
	if err != nil {
		return err
	}
	// The nonce is made and kept by the cipher: 2⁻³² is the chance that two are the
	// same after four thousand million of them.
	if s.aead, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return err
	}
	s.macs = newMACs(derive(k.secret, salt, "record"))
	return nil
}

// seal encrypts data that belongs to a chunk.
func (s *store) seal(kind byte, seq int64, data []byte) []byte {
	return s.aead.Seal(nil, nil, data, binary.BigEndian.AppendUint64([]byte{kind}, uint64(seq)))
}

// unseal is the inverse of seal.
func (s *store) unseal(kind byte, seq int64, data []byte) ([]byte, error) {
	return s.aead.Open(nil, nil, data, binary.BigEndian.AppendUint64([]byte{kind}, uint64(seq)))
}

// proofOf returns a proof of which key the journal was made with, without revealing the
// key.
func proofOf(k *Key, salt []byte) []byte { return derive(k.secret, salt, "proof")[:16] }

// headerChecksum covers all fields of the header, so that damage can be detected
// without the key.
func headerChecksum(fields ...[]byte) []byte {
	var b []byte
	for _, f := range fields {
		b = packed.AppendBytes(b, f)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}

// writeHeader writes h and the first ledger.
func (s *store) writeHeader(h Header, k *Key, salt []byte) error {
	if err := s.deriveKeys(k, salt); err != nil {
		return err
	}
	body, err := json.Marshal(h)
	if err != nil {
		return err
	}
	proof, mac := proofOf(k, salt), s.macs.of(headerKind, 0, body)
	_, err = s.conn.ExecContext(background, "insert into header values (1, ?, ?, ?, ?, ?)",
		body, salt, proof, mac[:], headerChecksum(body, salt, proof, mac[:]))
	if err != nil {
		return err
	}
	body = s.ledger.encode()
	mac = s.macs.of(ledgerKind, 0, body)
	_, err = s.conn.ExecContext(background, "insert into ledger values (1, ?, ?)", body, mac[:])
	return err
}

// readHeader reads the header and the ledger, and takes the key.
func (s *store) readHeader(k *Key) error {
	var body, salt, proof, mac, sum []byte
	row := s.conn.QueryRowContext(background, "select body, salt, proof, mac, sum from header where id = 1")
	if err := row.Scan(&body, &salt, &proof, &mac, &sum); err != nil {
		return noRows(err, "its header is missing")
	}
	if string(sum) != string(headerChecksum(body, salt, proof, mac)) {
		return damaged("its header is not as it was written")
	}
	if string(proof) != string(proofOf(k, salt)) {
		return ErrOtherKey
	}
	if err := s.deriveKeys(k, salt); err != nil {
		return err
	}
	if want := s.macs.of(headerKind, 0, body); string(mac) != string(want[:]) {
		return damaged("its header is not as it was written")
	}
	if err := json.Unmarshal(body, &s.header); err != nil {
		return damaged("its header cannot be read")
	}
	if s.header.Format != Format {
		return damaged("its header is of another format than it")
	}
	return s.readLedger()
}

func (s *store) readLedger() error {
	var body, mac []byte
	row := s.conn.QueryRowContext(background, "select body, mac from ledger where id = 1")
	if err := row.Scan(&body, &mac); err != nil {
		return noRows(err, "its ledger is missing")
	}
	want := s.macs.of(ledgerKind, 0, body)
	if string(mac) != string(want[:]) || s.ledger.decode(body) != nil {
		return damaged("its ledger is not as it was written")
	}
	return nil
}

// noRows turns the error for a row that is missing into ErrDamaged.
func noRows(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return damaged(what)
	}
	return err
}

// prepare makes the statements.
func (s *store) prepare() (err error) {
	for to, text := range map[**sql.Stmt]string{
		&s.getChunk:     "select body, mac from chunk where seq = ?",
		&s.pageOfChunks: "select seq, body, mac from chunk where seq >= ? order by seq limit ?",
		&s.putChunk:     "insert into chunk values (?, ?, ?) on conflict (seq) do update set body = excluded.body, mac = excluded.mac",
		&s.putImage:     "insert into image values (?, ?, ?)",
		&s.imagesOf:     "select n, body from image where seq = ? order by n",
		&s.putLedger:    "update ledger set body = ?, mac = ? where id = 1",
	} {
		if *to, err = s.conn.PrepareContext(background, text); err != nil {
			return err
		}
	}
	return nil
}

func (s *store) exec(statement string) error {
	_, err := s.conn.ExecContext(background, statement)
	return err
}

// commit makes what was written since begin durable, with the ledger that fits it.
func (s *store) commit() error {
	body := s.ledger.encode()
	mac := s.macs.of(ledgerKind, 0, body)
	if _, err := s.putLedger.ExecContext(background, body, mac[:]); err != nil {
		return err
	}
	return s.exec("commit")
}

// checkpoint moves what is in the log into the database, all of it.
func (s *store) checkpoint() error {
	var busy, log, moved int
	if err := s.conn.QueryRowContext(background, "pragma wal_checkpoint(truncate)").Scan(&busy, &log, &moved); err != nil {
		return err
	}
	if busy != 0 {
		return errors.New("another program reads the database")
	}
	return nil
}

// close releases the database.
func (s *store) close() error {
	if s.db == nil {
		return nil
	}
	var errs []error
	for _, statement := range []*sql.Stmt{s.getChunk, s.putChunk, s.pageOfChunks, s.putImage, s.imagesOf, s.putLedger} {
		if statement != nil {
			errs = append(errs, statement.Close())
		}
	}
	return errors.Join(append(errs, s.conn.Close(), s.db.Close())...)
}
