package api_test

import (
	"testing"

	"flytt/internal/api"
)

// TestRefusalsBlameNobodyForANumber has keys that look like indexes and like
// statuses: what may mean either means the request.
func TestRefusalsBlameNobodyForANumber(t *testing.T) {
	items := []string{`{}`, `{}`, `{}`}
	counted := sentOf([]string{"1", "2", "3"}, items...)
	status := sentOf([]string{"400", "422", "invalid"}, items...)
	for _, test := range []struct {
		name string
		sent api.Sent
		body string
		want int
	}{
		{"index or key", counted, `{"2":{"name":["Required."]}}`, -1},
		{"index only", counted, `{"0":{"name":["Required."]}}`, 0},
		{"key only", counted, `{"3":{"name":["Required."]}}`, 2},
		{"index or key, the first", sentOf([]string{"0", "1", "2"}, items...), `{"0":{"name":["Required."]}}`, 0},
		{"index or key, counted from 0 or 1", sentOf([]string{"0", "1", "2"}, items...), `{"2":{"name":["Required."]}}`, -1},
		{"status", status, `{"status":"400","detail":"Bad data."}`, -1},
		{"status in errors", status, `{"errors":[{"status":"422","detail":"Bad data."}]}`, -1},
		{"code", status, `[{"code":"invalid","detail":"Bad data."}]`, -1},
		{"key beside a status", status, `[{"custom_id":"400","status":"422","detail":"Bad data."}]`, 0},
	} {
		refusals, _ := api.ParseRefusals([]byte(test.body), test.sent, api.UnknownBase)
		for _, r := range refusals {
			if r.Item != test.want {
				t.Errorf("%s: blamed %d, want %d", test.name, r.Item, test.want)
			}
		}
	}
}
