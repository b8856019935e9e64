// Package journal is the durable record of what a run has sent and what became of
// it. With it, a run that was killed, or whose machine lost its power, can be resumed
// without sending a row twice and without forgetting one.
//
// # What it promises
//
// A chunk of rows goes through three states:
//
//	Planned   its rows are known. Nothing of it was sent.
//	Sending   requests for some of its rows, which are named, were made or may have
//	          been. What became of those is not known: they are in doubt.
//	Settled   what became of its rows is on record, as far as it ever was known.
//
// Sending returns when its record is on the disk, and not before: a request whose
// Sending has returned is never forgotten. Plan and Settle do not wait. A crash or a
// power failure may lose the last of these calls: the journal is then as it was after
// an earlier call. A lost plan was of rows that were not sent. A lost settlement leaves
// the chunk Sending, and its rows are looked up. Nothing can be lost that would let a
// row be sent again.
//
// Rows are looked up by their keys. A record that is found and was created since the run
// began, a time that the header has, is the row's own. A key that is not found proves
// that its row was not written only if the API keeps keys of that form unchanged. A run
// learns that from answers, and a resumed run from the journal. Otherwise the records
// created since the run began, except those whose ids the journal has, are compared with
// the row.
//
// The first write that fails is the last. Every later call returns its error, so that
// nothing is sent that would not be on record. What a failed sync leaves on the disk is
// not relied on, and does no harm: at worst, rows are in doubt that were not sent.
//
// A damaged journal is refused, never misread. One goroutine writes; several calls share
// a transaction and its sync.
//
// # What is in it, and what is not
//
// The header has everything that decides which bytes are sent, and where to. A chunk
// has the numbers of its first and last row, its number of rows, and a digest of what
// would be sent; the indices of the rows that were sent; and for each row its fate, the
// id that the API gave it, a digest of the record as the API showed it, and one of each
// value that was stored in another form than it was sent. Verify and undo compare these
// with what a record holds later. No value of a row is in the journal in the clear. What
// the API said about rows, and what records held before they were changed, may contain
// such values, and is encrypted.
//
// # Keys
//
// One Key, 32 random bytes in a file that only the user can read, is kept apart from all
// journals. Digests are HMACs, because a plain hash of a personnummer can be found out by
// trying all of them. HKDF (RFC 5869) derives a key for each purpose. Digest and Sum give
// the same result in all journals of a Key, so that a run can be compared with another.
// Checksums of records, and encryption (AES-256-GCM, with the chunk's number as
// additional data and a random nonce), have keys of their own in each journal, by a
// random salt in its header. The header also has a proof of which Key the journal was
// made with: another Key is refused as such, and the journal is not called damaged.
//
// # Files
//
// journal.db is a SQLite database (user_version 1, application_id "flyt"). Its write-ahead
// log, journal.db-wal, is beside it while a process has it open, or after one that had it
// open has died. journal.lock is what a process locks, and holds its process id; the lock
// ends with the process. All files have mode 0600. On network file systems, where neither
// locks nor syncs are reliable, a journal is neither created nor resumed.
//
// Each record is one binary value beside its own HMAC over its kind, its number and all
// its fields. Fates are stored as runs of equal ones, ids that are UUIDs take 16 bytes,
// sums 8. A chunk of 500 written rows takes 12 kB: 25 bytes a row. One record, the
// ledger, covers all others: it has the number of chunks and the XOR of their HMACs. It
// changes in every transaction, so that a missing record, or an earlier version of one,
// is detected. A chunk's record covers its before images in the same way.
//
// On opening, all of this is checked:
//
//   - The head of the file: a file that is not a journal, or has another version of the
//     format, is reported and not touched.
//   - The log. SQLite reads it up to the first frame whose checksum is wrong, and treats
//     all that follows as never written. That is right for the transaction during which
//     the power failed. But each transaction is synced before the next is written. So if
//     the frames after the bad one show that another transaction was begun, the bad frame
//     was once correct and was damaged on the disk, and the journal is refused.
//   - That the log exists, if the journal was not closed.
//   - The structure of the database, each record, and the ledger.
//
// What cannot be detected: that all files were replaced by earlier versions that belong
// together, and that the log was cut exactly at the end of a transaction, or was damaged
// in its last one. Both look like a run that came to that point and no further. So do not
// resume a run directory that was restored from a copy, if the run continued after the
// copy was made.
//
// # What was tried
//
// Each scenario has a number, a promise, and the tests that hold flytt to it. "Once"
// is: in the end the API has every valid row exactly once, the rejected rows are
// exactly the others, and the counts add up.
//
//	 1  the API stores a chunk, and the connection drops before its answer: once
//	    sinks TestFault01CommitThenReset
//	 2  likewise, and it stores the rows only after they were looked for: once,
//	    because of the settle time and the second read
//	    sinks TestFault02LateCommit
//	 3  likewise, and rows have no key: listed, exit code 5, never sent again
//	    sinks TestFault03NoKey, TestFault03KilledWithoutKey
//	 4  a request never reached the server: sent again, and not in doubt
//	    api TestFault04NotSentWhenNoConnection, TestFault04RefusedForAWhile,
//	    sinks TestFault04ClosedPortThenOpen
//	 5  HTTP/2 resets and closed connections: one commit for each attempt
//	    api TestFault05HTTP2ResetCommitsOnce, TestFault05KeepAliveCloseCommitsOnce
//	 6  kill -9 at any point, and at every state of the journal: once
//	    cmd TestFault06Kills, and make soak
//	 7  a journal that was torn, cut or flipped: what was not synced was never
//	    written, and anything else is refused
//	    journal TestFault07TornJournal, TestFault07TornTransaction,
//	    TestFault07BadDatabase, TestFault07BadLog, TestFault07LogBegunAnew,
//	    TestFault07RecordsOutOfPlace, TestFault07FilesThatDoNotBelongTogether
//	 8  a sync that fails, a full disk: nothing is sent that is not on record, and
//	    it is said, exit code 4
//	    journal TestFault08DiskFails, TestFault08SentMeansSynced,
//	    TestFault08KilledAtSync, cmd TestFault08Disk
//	 9  a rename that fails: the old file stays as it was, and nothing beside it
//	    cmd TestFault09Rename
//	10  a storm of 429 with Retry-After: nothing rejected, one request at a time,
//	    and as many as before when it is over
//	    api TestFault10Storm, TestFault10ReadsWaitAsToldThroughAStorm
//	11  one request in twenty fails: once, and little is sent twice
//	    cmd TestFault11Random,
//	    api TestFault11Writes, TestFault11ReadsOutliveRandomFailures
//	12  the API is down, for ten minutes or for ever: waited for, then exit code 4,
//	    and resumed
//	    api TestFault12DownForTenMinutes, TestFault12DownForEver, cmd TestFault12Down
//	13  credentials expire: no row is rejected, exit code 4, and resumed
//	    cmd TestFault13Expired
//	14  answers that are cut, in other order, of other length, or no answers at
//	    all: matched by key, or in doubt
//	    sinks TestFault14OddAnswers
//	15  a chunk is refused for one, three or all of 500 rows, which are not named:
//	    those are rejected, in few requests; if it is all, the run stops early
//	    sinks TestFault15Poison, TestFault15AllPoison, TestFault15BisectIsBounded,
//	    TestFault15BisectIsBoundedAtItsWorst
//	16  likewise, and others of the chunk were stored: once
//	    sinks TestFault16PartialCommit
//	17  a request is too large: halved, and the size remembered
//	    sinks TestFault17ProxyLimit, TestFault17DoesNotChangeChunks
//	18  an answer that stalls, or comes a byte at a time: in doubt, in time
//	    api TestFault18SlowAnswersAreInDoubt
//	19  a redirect: refused, and not a byte goes elsewhere
//	    api TestFault19RedirectOfAWriteIsNotFollowed,
//	    TestFault19RedirectOfAReadIsNotFollowed
//	20  Ctrl-C or SIGTERM, once or twice, at any time: once, after resume
//	    cmd TestFault20Interrupted, TestFault20Signals
//	21  two processes on one run: the second is refused, with the number of the
//	    first
//	    cmd TestFault21TwoProcesses
//	22  the input has changed: refused, and it is said how
//	    cmd TestFault22Changed
//	33  rows of one file with the same key: never two of them on the way
//	    cmd TestFault33Duplicates
//	34  credentials and values of rows: nowhere but where they belong
//	    cmd TestFault34Secrets
//	36  a register of any length, and a slow API: memory stays as it is
//	    cmd TestFault36Memory
//	39  a run of another version: resumed, or refused by name
//	    journal TestFault39OtherFormats, TestFault39RollingUpgrade
//
// The API may also rewrite what it is sent, refuse writes that overlap, and answer in
// a form of its own. Here "once" is whatever a key looks like in the API.
//
//	40  keys are stored in another form: the answer shows that the rows were created:
//	    once, with the warning stored_otherwise, and never sent again by resume or retry
//	    cmd TestFault40KeysStoredOtherwise
//	41  likewise, and the answer is lost: the records made since the run began are
//	    compared with the rows: once, or in doubt, exit code 5, and never sent again
//	    cmd TestFault41LostAnswerOtherKey
//	42  an answer is lost, and another field is stored in another form: the run's own
//	    record is no conflict: once, and a retry creates nothing
//	    cmd TestFault42OwnRecord
//	43  values are stored in another form, or filled in: verify finds nothing wrong,
//	    undo leaves nothing behind, and both see what somebody else changed later
//	    cmd TestFault43UndoVerify
//	44  a key that a record has in another form, and a list that takes both for the
//	    same: that row is rejected by name, in plans, too, and the others go through
//	    cmd TestFault44KeyForm
//	45  writes that overlap are refused, in words of locks: sent again with nothing else
//	    in flight, fewer at once, and no good row is rejected: once
//	    sinks TestFault45LockConflicts, TestFault45ConflictsLowerTheConcurrency,
//	    TestFault45ABadRowAmongLockConflicts, TestFault45UnknownWords,
//	    cmd TestFault45Locks
//	46  bad rows are told inside an answer that says success: those are rejected in the
//	    API's words, the others written: once
//	    api TestFault46SingleItems, cmd TestFault46ItemErrors
//	47  errors number the rows of a request from 1: the bad rows are rejected, and not
//	    their neighbours
//	    sinks TestFault47NumbersOfRowsAreLearned, cmd TestFault47ErrorIndex
//	48  an answer shows as many new ids as rows were sent, in items that cannot be told
//	    apart: each row was created, and none is sent again
//	    api TestFault48ManyNewIDs
//	49  a byte order mark before JSON, and updates answered in part: read, and no
//	    warning that is not true
//	    cmd TestFault49PartialAnswers
//	50  the run directory or the input was moved: resumed, if it has the same
//	    content
//	    cmd TestFault50Moved
//	51  403 with Retry-After: waited for, and no row rejected
//	    api TestFault51ForbiddenForAWhile, cmd TestFault51Busy403
package journal
