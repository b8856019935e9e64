package api

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/go-json-experiment/json/jsontext"
)

func TestEchoes(t *testing.T) {
	const sent = `{"name":"Ek","tags":["a"],"n":1}`
	for got, want := range map[string]bool{
		sent: true,
		`{"id":"7","name":"Ek","tags":["a"],"n":1}`:          true,
		`{ "id" : {"a":[]} ,"name":"Ek","tags":["a"],"n":1}`: true,
		`{"id":"7","x":1,"name":"Ek","tags":["a"],"n":1}`:    false,
		`{"in":{"id":"7","name":"Ek","tags":["a"],"n":1}}`:   false,
		`{"id":"7","in":{"name":"Ek","tags":["a"],"n":1}}`:   false,
		`{"name":"Ek","tags":["a"],"n":1,"id":"7"}`:          false,
		`{"id":"7","name":"Ek","tags":["a"],"n":11}`:         false,
		`{"name":"Ek","tags":["a"],"n":12}`:                  false,
		`{"id":"\"name\":\"Ek\",\"tags\":[\"a\"],\"n\":1"}`:  false,
		`{}`: false,
	} {
		if Echoes([]byte(sent), []byte(got)) != want {
			t.Errorf("%s: not %v", got, want)
		}
	}
}

func TestStored(t *testing.T) {
	tests := []struct {
		sent, got string
		whole     bool
		visited   []string
	}{
		{`{"a":"x","b":null}`, `{"b":null,"a":"x","c":null,"d":""}`, true, nil},
		{`{"a":"X","b":"y"}`, `{"id":"7","a":"x"}`, false, []string{`a "X" "x"`, `id  "7"`}},
		{`{"a":"x"}`, `{}`, false, nil},
		{`{"a":null}`, `{"a":"filled"}`, true, []string{`a null "filled"`}},
		{`{"r":{"id":"5"}}`, `{"r":"5","b":true}`, true, []string{`b  true`}},
	}
	for _, test := range tests {
		var visited []string
		whole := CompareStored([]byte(test.sent), []byte(test.got), func(name []byte, want, got jsontext.Value) {
			visited = append(visited, fmt.Sprintf("%s %s %s", name, []byte(want), got))
		})
		if diff := cmp.Diff(test.visited, visited); diff != "" || whole != test.whole {
			t.Errorf("%s as %s: whole %v, %s", test.sent, test.got, whole, diff)
		}
	}
}
