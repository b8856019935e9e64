// Package journal is the durable record of what a run has sent and what became
// of it. It is what makes a run that was killed, or whose machine lost its power,
// one that can be gone on with, without sending a row twice and without
// forgetting one.
//
// # What it promises
//
// A chunk of rows goes through three states:
//
//	Planned   it is known which rows it is. Nothing of it was sent.
//	Sending   requests for some of its rows, which are named, were made or may
//	          have been. What became of those is not known: they are in doubt.
//	Settled   what became of its rows is known, as far as it ever was.
//
// Sending returns when its record is on the disk, and not before: a request whose
// Sending has returned is never forgotten. Plan and Settle do not wait. What a
// crash or a power failure takes of them, it takes from the end: the journal is
// then as it was after an earlier call. A plan that is lost was of rows that were
// not sent; a settlement that is lost leaves the chunk Sending, and its rows are
// looked up. Nothing can be lost that would let a row be sent again.
//
// The first write that fails is the last. Every later call returns its error, so
// that nothing is sent that would not be on record. What a failed sync leaves on
// the disk is not relied on, and not harmful: at worst rows are in doubt that
// were not sent.
//
// A journal is refused, never misread. One goroutine writes; several calls share
// a transaction and its sync.
//
// # What is in it, and what is not
//
// The header says everything that decides which bytes are sent, and where to. A
// chunk has the numbers of its first and last row, how many they are, and a
// digest of what would be sent; the indices of the rows that were sent; and of
// each row its fate, the id that the API gave it, and a digest of the record as
// the API showed it. No value of a row is in it in the clear. What the API said
// of rows, and what records held before they were changed, may hold such values,
// and is encrypted.
//
// # Keys
//
// One Key, 32 random bytes in a file that only the user can read, lies apart from
// all journals. Digests are HMACs, because a plain hash of a personnummer is
// found out by trying all there are. HKDF (RFC 5869) derives a key for each
// purpose: Digest and Sum give the same in all journals of a Key, so that a run
// can be compared with another; checksums of records, and encryption (AES-256-GCM,
// with the chunk's number as additional data and a random nonce), have keys of
// their own in each journal, by a random salt in its header. The header also has
// a proof of which Key it was made with: another is refused as that, and the
// journal is not called damaged.
//
// # Files
//
// journal.db is a SQLite database (user_version 1, application_id "flyt"), with
// journal.db-wal beside it, its write-ahead log, for as long as a process has it
// open or one that did has died. journal.lock is what a process locks, and holds
// its number; the lock ends with the process. All are 0600. On network file
// systems, where neither locks nor syncs can be relied on, a journal is neither
// made nor gone on with.
//
// Each record is one binary value beside its own HMAC over its kind, its number
// and all its fields. Fates are runs of equal ones, ids that are UUIDs take 16
// bytes, sums 8. A chunk of 500 rows that all went through takes 12 kB: 25 bytes
// a row. One record, the ledger, is about all others: how many chunks there are,
// and their HMACs laid over each other. It changes in every transaction, so that
// a record that is missing, or an earlier version of itself, shows. A chunk's
// record does the same for its images.
//
// On opening, all of this is checked:
//
//   - The head of the file: a file that is not a journal, or of another version
//     of the format, is named and not touched.
//   - The log. SQLite reads it up to the first frame whose checksum is wrong, and
//     takes all that follows as never written. That is right for the transaction
//     in which the power failed. But each transaction is synced before the next is
//     written, so if the frames behind show that another was begun, the bad frame
//     had been whole: it went bad on the disk, and the journal is refused.
//   - That the log is there, if the journal was not closed.
//   - The structure of the database, each record, and the ledger.
//
// What cannot be seen: that all files were replaced by those of an earlier time
// that belong together, and that the log was cut exactly at the end of a
// transaction, or went bad in its last one. Both look like a run that came to
// that point and no further. So a run directory that was restored from a copy is
// not to be gone on with, if the run went on after the copy was made.
package journal
