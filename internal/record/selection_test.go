package record_test

import (
	"testing"

	"flytt/internal/record"
)

func TestSelectionsOfMembers(t *testing.T) {
	const object = `{"id":"1","name":"Bo","title":"VD"}`
	for text, want := range map[string]string{
		"":            `{"id":"1","name":"Bo","title":"VD"}`,
		"title, name": `{"title":"VD","name":"Bo"}`,
		"-id":         `{"name":"Bo","title":"VD"}`,
		"email":       `{}`,
	} {
		s, err := record.ParseSelection(contacts(t), text)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(s.AppendLines([]byte("x"), []byte(object+"\n"+object+"\n"))); got != "x"+want+"\n"+want+"\n" {
			t.Errorf("%q: %s", text, got)
		}
	}
	if _, err := record.ParseSelection(contacts(t), "nmae"); err == nil {
		t.Error("an unknown field is taken")
	}
}
