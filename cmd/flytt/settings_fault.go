package main

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"flytt/internal/text"
)

// settingsFault returns err, which the YAML library found in the settings file called
// name, in our words. It shows no value: one may be a secret.
func settingsFault(name string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return usage(fmt.Errorf("%s: cannot be read as YAML", name), settingsHint)
	}
	place := name
	if t := at.GetToken(); t != nil && t.Position != nil {
		place = fmt.Sprintf("%s:%d:%d", name, t.Position.Line, t.Position.Column)
	}
	what, hint := settingsProblem(at)
	return usagef(hint, "%s: %s", place, what)
}

const settingsHint = "docs/settings.md lists the settings"

// settingsProblem says what is wrong, and what to do about it.
func settingsProblem(err yaml.Error) (what, hint string) {
	var (
		unknown  *yaml.UnknownFieldError
		kind     *yaml.TypeError
		overflow *yaml.OverflowError
		node     *yaml.UnexpectedNodeTypeError
	)
	switch {
	case errors.As(err, &unknown):
		key := err.GetToken().Value
		return "unknown key " + text.Printable(key), text.DidYouMean(key, settingsKeys(reflect.TypeFor[settingsDoc]()), settingsHint)
	case errors.As(err, &kind):
		return keyOf(err.GetToken()) + " needs " + settingKind(kind.DstType), settingsHint
	case errors.As(err, &overflow):
		return keyOf(err.GetToken()) + " is out of range", settingsHint
	case errors.As(err, &node):
		return keyOf(err.GetToken()) + " needs " + nodeKind(node.Expected), settingsHint
	}
	return text.YAML(err.GetMessage())
}

// keyOf returns the key of the value at t.
func keyOf(t *token.Token) string {
	for ; t != nil; t = t.Prev {
		if t.Type == token.MappingValueType && t.Prev != nil {
			return text.Printable(t.Prev.Value)
		}
	}
	return "the file"
}

// nodeKind names a part of a YAML file for people.
func nodeKind(t ast.NodeType) string {
	if t == ast.SequenceType {
		return "a list"
	}
	return "keys with values"
}

// settingKind names what a setting of type t is in the file.
func settingKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Slice:
		return "a list"
	}
	return "keys with values"
}

// settingsKeys returns the keys that a file of type t can have, those within others too.
func settingsKeys(t reflect.Type) (keys []string) {
	if t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		key, option, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if key == "-" {
			continue
		}
		if option != "inline" {
			keys = append(keys, key)
		}
		keys = append(keys, settingsKeys(t.Field(i).Type)...)
	}
	return keys
}
