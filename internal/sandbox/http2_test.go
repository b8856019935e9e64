package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"flytt/internal/sandbox"
)

func TestStreamResets(t *testing.T) {
	for _, c := range []struct {
		what, code, stored string
	}{
		{"rst-stream", "PROTOCOL_ERROR", ""},
		{"rst-stream=REFUSED_STREAM", "REFUSED_STREAM", ""},
		{"commit-then-rst-stream=PROTOCOL_ERROR", "PROTOCOL_ERROR", "A B C"},
		{"commit-then-rst-stream=CANCEL", "CANCEL", "A B C"},
		{"reset", "INTERNAL_ERROR", ""},
	} {
		w := wired(t, sandbox.Options{}, "bulk:1:"+c.what)
		w.client.Transport = http2Transport()
		r := request("POST", w.url+base+"list/", three)
		r.RequestURI, r.GetBody = "", nil
		_, err := w.client.Do(r)
		if err == nil || !strings.Contains(err.Error(), "stream ID 1; "+c.code+";") {
			t.Errorf("%s: %v", c.what, err)
		}
		if got := w.stored(); got != c.stored {
			t.Errorf("%s: stored %q", c.what, got)
		}
		wantStatus(t, w.must("POST", base+"list/", "[]"), 201)
		if proto := w.log.Requests()[0].Proto; proto != "HTTP/2.0" {
			t.Errorf("served over %s", proto)
		}
		w.client.CloseIdleConnections()
	}
}

func http2Transport() *http.Transport {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	return transport
}

// A client whose requests can be repeated repeats them, with or without a
// commit: the log tells.
func TestTheLogShowsWhatAClientRepeats(t *testing.T) {
	w := wired(t, sandbox.Options{}, "bulk:1-2:commit-then-rst-stream=PROTOCOL_ERROR")
	w.client.Transport = http2Transport()
	defer w.client.CloseIdleConnections()
	r, err := http.NewRequest("POST", w.url+base+"list/", strings.NewReader(bulk(person("A", ""))))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = request("POST", "/", "x").Header
	answer, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if n := w.log.Committed(); n != 3 {
		t.Errorf("%d rows committed by one call, want 3: net/http repeats it", n)
	}
}
