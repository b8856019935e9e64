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
// There are three ways to read, each a reader:
//
//	byCreated  in the order of creation, in which no record changes its place, so
//	           that a list can be proved complete while records come and go
//	plain      in any other order; a second reading of the ids is the proof
//	singleResponse     in one answer, without pages
//
// Rows begins with what the options allow and takes another way when the server turns
// out to ignore an order, a bound or paging.
//
// To read the code, begin with rows.go: the readers. workers.go carries out the
// requests. created.go is the reader of most exports; begin.go, joint.go, tie.go
// and end.go are its parts. plain.go and pass.go belong together; once.go is singleResponse,
// and whole.go decides when it has to be that. odd.go has what is asked for again, and
// the reasons for doubt.
//
// No error and no Account holds a value of a row but the times of creation of the
// first and the last.
package list
