package format

import "flytt/internal/isotime"

// Date reports whether v is a calendar date YYYY-MM-DD (ISO 8601, RFC 3339
// full-date) that exists. The year 0000 does not: the API's calendar starts
// with 0001.
func Date(v []byte) bool {
	_, _, _, ok := isotime.Date(v)
	return ok
}

// DateTime reports whether v is a point in time as RFC 3339 writes it: see
// isotime.RFC3339. The leap second 60, which RFC 3339 knows, fails, as it does in
// the API.
func DateTime(v []byte) bool {
	_, ok := isotime.RFC3339(v)
	return ok
}
