package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"flytt/internal/sandbox"
)

// creates counts how often rows with a key are sent to be made records.
type creates struct {
	sync.Mutex
	times map[string]int
}

func (c *creates) count(body []byte) {
	var items []struct {
		Key string `json:"custom_id"`
	}
	if json.Unmarshal(body, &items) != nil {
		return
	}
	c.Lock()
	defer c.Unlock()
	for _, item := range items {
		c.times[item.Key]++
	}
}

// TestFault33Duplicates imports a register whose keys come again in the same
// request, in the next, and far away, into an API that would take them all: no
// key is ever sent twice.
func TestFault33Duplicates(t *testing.T) {
	const rows, chunk = 3000, 50
	for policy, written := range map[string]int{"reject": 0, "first": 0, "last": 0} {
		t.Run(policy, func(t *testing.T) {
			sent := &creates{times: map[string]int{}}
			box, err := sandbox.New(sandbox.Options{})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					body, _ := io.ReadAll(r.Body)
					sent.count(body)
					r.Body = io.NopCloser(bytes.NewReader(body))
				}
				box.ServeHTTP(w, r)
			}))
			t.Cleanup(func() { server.Close(); _ = box.Close() })
			dir := t.TempDir()
			keys := writeRepeated(t, dir, rows, chunk)
			t.Chdir(dir)
			t.Setenv("FLYTT_BASE_URL", server.URL)
			t.Setenv("FLYTT_KEY_DIR", filepath.Join(dir, "key"))
			for _, name := range credentialNames {
				t.Setenv(name, sandbox.DefaultCredential)
			}
			var out bytes.Buffer
			code := execute([]string{"import", "in.csv", "-m", "mapping.yaml", "--run-dir", "run", "--duplicates", policy,
				"--chunk-rows", fmt.Sprint(chunk), "--concurrency", "4", "--json"}, strings.NewReader(""), &out, io.Discard)
			if code != exitRejects {
				t.Fatalf("exit code %d\n%s", code, &out)
			}
			for _, n := range keys {
				if n == 1 || policy != "reject" {
					written++
				}
			}
			for _, n := range sent.times {
				if n != 1 {
					t.Errorf("a key was sent %d times", n)
				}
			}
			if len(sent.times) != written {
				t.Errorf("%d keys were sent, want %d", len(sent.times), written)
			}
		})
	}
}

// writeRepeated writes a register in which rows have the key of one nearby, or of
// one far away. It returns how often each key comes.
func writeRepeated(t *testing.T, dir string, rows, chunk int) map[string]int {
	t.Helper()
	keys := map[string]int{}
	var b strings.Builder
	b.WriteString("Nr,Namn,Titel,Kund\n")
	for i := range rows {
		n := i
		switch {
		case i%97 == 1:
			n = i - 1
		case i%89 == 2 && i > chunk:
			n = i - chunk
		case i%83 == 3:
			n = (i * 7) % rows
		}
		key := fmt.Sprintf("R-%05d", n)
		keys[key]++
		fmt.Fprintf(&b, "%s,Person %d,Kontaktperson,"+soakClient+"\n", key, i, i%7)
	}
	mapping := "resource: externalclientcontactperson\nfields: {custom_id: Nr, name: Namn, title: Titel, external_client.id: Kund}\n"
	for name, text := range map[string]string{"in.csv": b.String(), "mapping.yaml": mapping} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}
