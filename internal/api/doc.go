// Package api speaks to the vendor's API over HTTP and decides what an answer,
// or the lack of one, proves.
//
// A write is never repeated behind the caller's back: requests carry no
// GetBody and no Idempotency-Key, so that net/http has nothing to replay, and
// redirects are not followed, because Go would forward the secret headers and
// the rows to whichever host the answer names. [Client.BulkWrite] makes one
// attempt and returns its [Outcome]:
//
//	NotSent       no byte of the body left this process: may be sent again
//	NotProcessed  the API turned the request away unread: may be sent again later
//	InDoubt       the API may have applied it: to be looked up, never repeated
//	Answered      the API said what it did, in the status and the body
//
// [Answer] matches the body of a success with what was sent, [ParseRefusals]
// finds in the body of a refusal which items are meant, and
// [Client.FindByKeys] reads records back.
//
// No error and no log line of this package shows a query, a header, or
// anything of a body.
package api
