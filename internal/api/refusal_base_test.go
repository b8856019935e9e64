package api_test

import (
	"testing"

	"flytt/internal/api"

	"github.com/google/go-cmp/cmp"
)

// TestRefusalsLearnTheBase has errors that name items by number: of which items they
// are by what is known of the base, and what they teach of it.
func TestRefusalsLearnTheBase(t *testing.T) {
	const unknown, zero, one, mixed = api.UnknownBase, api.FromZero, api.FromOne, api.MixedBase
	three := sentOf([]string{"A", "B", "C"}, `{}`, `{}`, `{}`)
	single := sentOf([]string{"A"}, `{}`)
	counted := sentOf([]string{"1", "2", "3"}, `{}`, `{}`, `{}`)
	none := []int{-1}
	tests := map[string]struct {
		sent  api.Sent
		known api.IndexBase
		body  string
		items []int // of the reasons
		learn api.IndexBase
	}{
		"fits both":              {three, unknown, `[{"index":1,"message":"x"}]`, none, unknown},
		"fits both, names":       {three, unknown, `{"1":{"name":["x"]},"2":{"name":["y"]}}`, []int{-1, -1}, unknown},
		"fits both, known 0":     {three, zero, `[{"index":1,"message":"x"}]`, []int{1}, zero},
		"fits both, known 1":     {three, one, `[{"index":1,"message":"x"}]`, []int{0}, one},
		"fits both, names, 0":    {three, zero, `{"1":{"name":["x"]}}`, []int{1}, zero},
		"fits both, names, 1":    {three, one, `{"1":{"name":["x"]}}`, []int{0}, one},
		"fits both, no faith":    {three, mixed, `[{"index":1,"message":"x"}]`, none, mixed},
		"names, no faith":        {three, mixed, `{"1":{"name":["x"]}}`, none, mixed},
		"as many as sent":        {three, unknown, `[{"index":1,"a":["x"]},{"index":2,"a":["y"]},{"index":2,"b":["z"]}]`, []int{-1, -1, -1}, unknown},
		"number 0":               {three, unknown, `[{"row":2,"message":"x"},{"row":0,"message":"y"}]`, []int{0, 2}, zero},
		"name 0":                 {three, unknown, `{"errors":{"0":["x"],"1":["y"]}}`, []int{0, 1}, zero},
		"the last number":        {three, unknown, `{"errors":[{"item":1,"message":"x"},{"item":3,"message":"y"}]}`, []int{0, 2}, one},
		"the last name":          {three, unknown, `{"3":{"name":["x"]}}`, []int{2}, one},
		"all, from 1":            {three, unknown, `[{"index":1,"a":["x"]},{"index":2,"a":["y"]},{"index":3,"a":["z"]}]`, []int{0, 1, 2}, one},
		"one item, 0":            {single, unknown, `{"position":0,"message":"x"}`, []int{0}, zero},
		"one item, 1":            {single, unknown, `{"position":1,"message":"x"}`, []int{0}, one},
		"one item, name 0":       {single, unknown, `{"0":{"name":["x"]}}`, []int{0}, zero},
		"one item, name 1":       {single, unknown, `{"1":{"name":["x"]}}`, []int{0}, one},
		"one item, elsewhere":    {single, unknown, `[{"index":17,"message":"x"}]`, []int{0}, mixed},
		"beside its key, 0":      {three, unknown, `[{"custom_id":"B","index":1,"message":"x"},{"index":2,"message":"y"}]`, []int{1, 2}, zero},
		"beside its key, 1":      {three, unknown, `[{"custom_id":"B","index":2,"message":"x"},{"index":2,"message":"y"}]`, []int{1, 1}, one},
		"beside another key":     {three, unknown, `[{"custom_id":"C","index":1,"message":"x"},{"index":2,"message":"y"}]`, []int{-1, 2}, mixed},
		"key in a value":         {three, unknown, `[{"index":1,"value":"C","message":"x"}]`, []int{-1, -1}, unknown},
		"line":                   {three, unknown, `[{"line":2,"message":"x"}]`, []int{1}, one},
		"row number":             {three, unknown, `[{"row_number":1,"message":"x"}]`, []int{0}, one},
		"line 0":                 {three, unknown, `[{"line":0,"message":"x"},{"line":2,"message":"y"}]`, []int{-1, -1}, zero},
		"line, items from 0":     {three, zero, `[{"line":2,"message":"x"}]`, none, zero},
		"line beyond":            {three, unknown, `[{"line":4,"message":"x"}]`, none, mixed},
		"line and index from 0":  {three, unknown, `[{"index":1,"line":2,"message":"x"}]`, []int{1}, zero},
		"line and index from 1":  {three, unknown, `[{"index":2,"line":2,"message":"x"}]`, []int{1}, one},
		"line of a program":      {three, unknown, `{"message":"x","file":"a.php","line":2}`, []int{-1, -1}, unknown},
		"line of the request":    {three, unknown, `{"message":"x","line":1,"column":2}`, []int{-1, -1}, unknown},
		"0 and the last":         {three, unknown, `{"0":["x"],"3":["y"]}`, []int{-1, -1}, mixed},
		"contradicts 1":          {three, one, `[{"index":0,"message":"x"}]`, none, mixed},
		"contradicts 0":          {three, zero, `{"3":{"name":["x"]}}`, none, mixed},
		"keys decide":            {three, mixed, `[{"custom_id":"B","message":"x"}]`, []int{1}, mixed},
		"names that are keys":    {three, unknown, `{"B":{"name":["x"]}}`, []int{1}, unknown},
		"keys like numbers, 1":   {counted, one, `{"2":{"name":["x"]}}`, []int{1}, one},
		"keys like numbers, 0":   {counted, zero, `{"2":{"name":["x"]}}`, none, zero},
		"keys like numbers":      {counted, unknown, `{"2":{"name":["x"]}}`, none, unknown},
		"keys, and no numbers":   {counted, mixed, `{"2":{"name":["x"]}}`, []int{1}, mixed},
		"aligned":                {three, unknown, `[{},{"name":["x"]},{}]`, []int{1}, unknown},
		"about the request only": {three, one, `{"detail":"x"}`, none, one},
	}
	for name, test := range tests {
		refusals, learned := api.ParseRefusals([]byte(test.body), test.sent, test.known)
		var items []int
		for _, r := range refusals {
			items = append(items, r.Item)
			if r.Field == "index" || r.Field == "row" || r.Field == "line" {
				t.Errorf("%s: the number is taken for a reason: %+v", name, r)
			}
		}
		if diff := cmp.Diff(test.items, items); diff != "" || learned != test.learn {
			t.Errorf("%s: learned %v, want %v (-want +got):\n%s", name, learned, test.learn, diff)
		}
	}
}
