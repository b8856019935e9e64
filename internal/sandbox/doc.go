// Package sandbox is the API on this machine: every operation of every
// resource, served from its descriptor, with real storage in SQLite.
//
// A Sandbox is an http.Handler. A request passes, in this order: the route
// (404), the credentials (401, 403), the method (405), the body (415, 413,
// 400), the rules of the resource (400), the storage. A file holds one idea:
//
//	sandbox.go   Sandbox: New, Start, Close
//	options.go   what can be chosen
//	exchange.go  one request from arrival to log
//	answer.go    answers and error bodies
//	table.go     a resource as a table
//	kind.go      types: JSON to column, text to operand
//	body.go      request bodies to records
//	check.go     the rules, in the server's words
//	write.go     bulk, create, update, delete
//	read.go      get and list
//	query.go     the parameters of a list
//	filter.go    its filters, as SQL
//	store.go     SQLite
//
// Each stored row holds the object as it is answered (the column _doc) and,
// beside it, one typed column per field, which filters and orders look at. So
// a list copies bytes instead of rendering them anew.
package sandbox
