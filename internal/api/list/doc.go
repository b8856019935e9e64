// Package list reads a list of the API from beginning to end and says whether it is
// proved that every record was handed out exactly once.
//
// A [Query] is what a list is asked for: filters, an order, a search, each held
// against a [Catalog] before anything is sent. [Open] returns its [Rows], which ask a
// [Fetcher] for pages ahead, at most a number at once, and hand out the objects in
// order. [Rows.Account] tells how the reading went: [Account].Complete if it is
// proved complete, or else why not, and what to do about it. A record that came again
// is dropped, so no record is handed out twice, proved or not.
//
// There are three readers, each one way to read a list:
//
//	byCreated       in the order of creation. A record never changes its place in
//	                it, so a list can be proved complete while records come and go.
//	plain           in any other order. A second pass over the ids is the proof.
//	singleResponse  in one answer, without pages.
//
// Rows starts with the reader that the options allow. It changes to another one when
// the server turns out to ignore an order, a bound or paging.
//
// To read the code, start with rows.go: the readers. workers.go is the worker pool that
// makes the requests. created.go is the reader of most exports; start.go, gapcheck.go,
// same_timestamp.go and end.go are its parts. plain.go and pass.go belong together.
// single_response.go is singleResponse, and oversized.go decides when it is needed.
// suspect.go has the answers that are asked for again, and the reasons for doubt.
//
// No error and no Account holds a value of a row but the times of creation of the
// first and the last.
package list
