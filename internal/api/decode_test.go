package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
)

// record is an object of about 450 bytes, as the API writes one.
func record(i int) string {
	return fmt.Sprintf(`{"id":"0b8f2f5e-3c1d-4a55-9a3e-%012d","name":"Åsa Öberg %d","external_client":{"id":"7d0f2f5e-3c1d-4a55-9a3e-2b6f1c9d8e7f"},"title":"Förvaltare","ssn":null,"org_no":null,"custom_id":"K-%06d","first_name":"Åsa","last_name":"Öberg","corporate_name":"Öbergs Fastigheter AB","email":"asa.oberg%d@example.se","phone_number":"+46701234567","organization":{"id":"1d0f2f5e-3c1d-4a55-9a3e-2b6f1c9d8e7f"},"created_at":"2026-01-31T09:30:00.%06dZ","tags":[],"customer_columns":{}}`, i, i, i, i, i%1e6)
}

func records(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = record(i)
	}
	return out
}

// decoded returns the objects, ids and moments of body.
func decoded(body string, task decodeTask) (objects, ids []string, moments []int64, err error) {
	var p Page
	task.page = &p
	err = decode(strings.NewReader(body), task)
	for i, o := range p.Objects {
		objects, ids = append(objects, string(p.Object(i))), append(ids, string(p.ID(i)))
		moments = append(moments, o.Created)
	}
	return objects, ids, moments, err
}

func TestDecodeShapes(t *testing.T) {
	const a, b = `{"id":"A","n":1}`, `{"n":{"id":"x"},"id":17}`
	both := []string{a, b}
	for name, test := range map[string]struct {
		body string
		want []string
		slim bool
	}{
		"array":                  {body: "[" + a + "," + b + "]", want: both},
		"array, white":           {body: " [\n " + a + " ,\t" + b + "\r\n] \n", want: both},
		"lines":                  {body: a + "\n" + b + "\n", want: both},
		"lines, no newline":      {body: a + b, want: both},
		"one line":               {body: b, want: []string{b}},
		"nothing":                {body: ""},
		"white space":            {body: " \r\n"},
		"empty array":            {body: "[]"},
		"envelope":               {body: `{"count":2,"next":null,"results":[` + a + "," + b + `],"more":{"x":[1]}}`, want: both},
		"envelope, white":        {body: " \n{ \"data\" : [ " + a + " , " + b + " ] } \n", want: both},
		"empty envelope":         {body: `{"results":[]}`},
		"record with a list":     {body: `{"id":"A","items":[{"id":"x"}]}` + "\n" + b, want: []string{`{"id":"A","items":[{"id":"x"}]}`, b}},
		"record with no objects": {body: `{"id":"A","data":3}`, want: []string{`{"id":"A","data":3}`}},
		"slim":                   {body: `["A",17]`, want: []string{`"A"`, "17"}, slim: true},
		"slim lines":             {body: "\"A\"\n17\n", want: []string{`"A"`, "17"}, slim: true},
		"slim objects":           {body: `[{"id":"A"},{"id":17}]`, want: []string{`{"id":"A"}`, `{"id":17}`}, slim: true},
	} {
		objects, ids, _, err := decoded(test.body, decodeTask{idsOnly: test.slim})
		if err != nil || !cmp.Equal(objects, test.want) {
			t.Errorf("%s: %q, %v", name, objects, err)
		}
		if len(ids) == 2 && (ids[0] != "A" || ids[1] != "17") {
			t.Errorf("%s: ids %q", name, ids)
		}
	}
}

// TestDecodeEnvelopeOfAnySize has envelopes too large to be held back, in
// which the list is streamed.
func TestDecodeEnvelopeOfAnySize(t *testing.T) {
	for _, n := range []int{1, 500, 1100, 1200, 2500, 5000} {
		want := records(n)
		body := `{"count":` + strconv.Itoa(n) + `,"results":[` + strings.Join(want, ",\n") + `],"next":"x"}`
		objects, ids, _, err := decoded(body, decodeTask{})
		if err != nil || !cmp.Equal(objects, want) || !strings.HasSuffix(ids[n-1], strconv.Itoa(n-1)) {
			t.Errorf("%d: %d objects, %v", n, len(objects), err)
		}
	}
}

// TestDecodeEnvelopeOfLargeObjects has objects that are just small enough.
func TestDecodeEnvelopeOfLargeObjects(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5} {
		object := `{"id":"A","x":"` + strings.Repeat("x", maxObject-17) + `"}`
		small := `{"id":"` + strings.Repeat("B", maxHeld-100) + `"}`
		body := `{"results":[` + small + strings.Repeat(","+object, n) + `]}`
		objects, _, _, err := decoded(body, decodeTask{})
		if err != nil || len(objects) != n+1 || len(object) != maxObject {
			t.Errorf("%d: %d objects, %v", n, len(objects), err)
		}
		if _, _, _, err = decoded(`{"results":[`+strings.Repeat(object+",", n)+large+`]}`, decodeTask{}); !errors.Is(err, errLarge) {
			t.Errorf("%d and a larger one: %v", n, err)
		}
	}
}

// large is an object that is too large.
var large = `{"id":"A","x":"` + strings.Repeat("x", maxObject) + `"}`

func TestDecodeRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		want string
	}{
		"HTML":                 {"<html><title>secret</title>", "the answer is not JSON"},
		"text":                 {"secret", "the answer is not JSON"},
		"number":               {"17", "the answer is not a list of objects"},
		"null":                 {"null", "the answer is not a list of objects"},
		"array of numbers":     {"[1,2]", "the answer is not a list of objects"},
		"array of null":        {`[{"id":"A"},null]`, "the answer is not a list of objects"},
		"cut array":            {`[{"id":"A"},{"id":`, errCut.Error()},
		"cut after an object":  {`[{"id":"A"}`, errCut.Error()},
		"cut before an object": {`[{"id":"A"},`, errCut.Error()},
		"cut line":             {`{"id":"A"}` + "\n" + `{"id"`, errCut.Error()},
		"cut first line":       {`{"id":"A","secr`, errCut.Error()},
		"cut envelope":         {`{"results":[{"id":"A"},{"id":"B"}]`, errCut.Error()},
		"more behind":          {`[{"id":"A"}] [{"id":"B"}]`, "the answer is not a list of objects"},
		"array behind a line":  {`{"id":"A"}[{"id":"B"}]`, "the answer is not a list of objects"},
		"name twice":           {`[{"id":"A"},{"secret":1,"secret":2}]`, "object 2 of the answer: a name appears twice"},
		"name twice, first":    {`{"id":1,"\u0069d":2}`, "object 1 of the answer: a name appears twice"},
		"not UTF-8":            {"[{\"id\":\"A\"},{\"id\":\"\xff\"}]", "object 2 of the answer: is not JSON"},
		"not a number":         {`[{"id":"A"},{"id":NaN}]`, "object 2 of the answer: is not JSON"},
		"lone surrogate":       {`[{"id":"A"},{"id":"\ud800"}]`, "object 2 of the answer: is not JSON"},
		"too deep":             {`[{"id":` + strings.Repeat("[", 20000), "the answer is not JSON"},
		"too large":            {`[{"id":"A"},` + large + `]`, "object 2 of the answer: larger than 1 MiB"},
		"too large line":       {`{"id":"A"}` + large, "object 2 of the answer: larger than 1 MiB"},
		"too large first line": {large, "object 1 of the answer: larger than 1 MiB"},
		"failure":              {`{"detail":"secret"}`, errFailure.Error()},
		"failures":             {`{"errors":["secret"]}`, errFailure.Error()},
	} {
		_, _, _, err := decoded(test.body, decodeTask{})
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeStopsAtTheLimits(t *testing.T) {
	body := "[" + strings.Join(records(100), ",") + "]"
	objects, _, _, err := decoded(body, decodeTask{objects: 30})
	if !errors.Is(err, ErrOversized) || len(objects) != 30 {
		t.Errorf("%d objects, %v", len(objects), err)
	}
	objects, _, _, err = decoded(body, decodeTask{bytes: 3 * len(record(0))})
	if !errors.Is(err, ErrOversized) || len(objects) < 2 || len(objects) > 3 {
		t.Errorf("%d objects, %v", len(objects), err)
	}
}

// TestDecodeNeedsNoMoreThanAnObject has an object that never ends.
func TestDecodeNeedsNoMoreThanAnObject(t *testing.T) {
	var read int
	endless := readerFunc(func(p []byte) (int, error) {
		if read == 0 {
			read = copy(p, `[{"x":"`)
			return read, nil
		}
		read += len(p)
		return copy(p, bytes.Repeat([]byte("x"), len(p))), nil
	})
	var p Page
	err := decode(endless, decodeTask{page: &p})
	if !errors.Is(err, errLarge) || read > 4*maxObject {
		t.Errorf("%v after %d bytes", err, read)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestDecodeShowsWhyReadingEnded has a connection that breaks.
func TestDecodeShowsWhyReadingEnded(t *testing.T) {
	broken := errors.New("broken")
	for _, body := range []string{"", "[", `[{"id":1},`, `{"id":1}`, `{"results":[{"id":1}`} {
		var p Page
		r := io.MultiReader(strings.NewReader(body), iotest.ErrReader(broken))
		if err := decode(r, decodeTask{page: &p}); !errors.Is(err, broken) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestDecodeNotesTheMomentOfCreation(t *testing.T) {
	body := record(7) + `{"created_at":null}{"id":1,"created_at":"yesterday"}{"id":2}{"created_at":"1970-01-01T00:00:02Z","id":3}`
	_, ids, moments, err := decoded(body, decodeTask{created: "created_at"})
	want := []int64{1769851800000007000, NoTime, NoTime, NoTime, 2e9}
	if err != nil || !cmp.Equal(moments, want) || ids[4] != "3" {
		t.Errorf("%v, %q, %v", moments, ids, err)
	}
}

func TestDecodeStreamsInPages(t *testing.T) {
	for _, sep := range []string{"\n", ","} {
		want := records(2345)
		body := strings.Join(want, sep)
		if sep == "," {
			body = "[" + body + "]"
		}
		var p Page
		var got []string
		var sizes []int
		hand := func() error {
			sizes = append(sizes, len(p.Objects))
			for i := range p.Objects {
				got = append(got, string(p.Object(i)))
			}
			p.Reset()
			return nil
		}
		err := decode(iotest.OneByteReader(strings.NewReader(body)), decodeTask{page: &p, perPage: 1000, flush: hand})
		if err != nil || len(p.Objects) != 345 || !cmp.Equal(sizes, []int{1000, 1000}) || !cmp.Equal(got, want[:2000]) {
			t.Errorf("%q: pages %v and %d, %v", sep, sizes, len(p.Objects), err)
		}
	}
}

func TestDecodeAllocatesNothingPerObject(t *testing.T) {
	body := "[" + strings.Join(records(500), ",") + "]"
	var p Page
	r := strings.NewReader("")
	allocs := testing.AllocsPerRun(20, func() {
		p.Reset()
		r.Reset(body)
		if err := decode(r, decodeTask{page: &p, created: "created_at", objects: 1100}); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 50 { // some of a pool that is emptied; not one for each object
		t.Errorf("%v allocations for a page of 500", allocs)
	}
}

// FuzzDecode holds the decoder to encoding/json and to itself: what it takes is
// valid, says the same as a whole, and does not depend on how it arrives.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"", "[]", `[{"id":"A"}]`, `{"id":"A"}` + "\n" + `{"id":"B"}`, `{"results":[{"id":1}],"next":null}`,
		`{"data":[{"id":1}]}{"id":2}`, `[{"a":1,"a":2}]`, `{"detail":"x"}`, `[{"id":"\ud83d\ude00"}]`, "[{\"\xff\":1}]",
		`[{"created_at":"2026-01-31T09:30:00Z"}`, `{"results":[1]}`, `{"results":[{}],"results":[]}`, `[{"id":}]`, "\ufeff[]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var p, q Page
		err := decode(bytes.NewReader(body), decodeTask{page: &p, created: "created_at"})
		slow := decode(iotest.OneByteReader(bytes.NewReader(body)), decodeTask{page: &q, created: "created_at"})
		if fmt.Sprint(err) != fmt.Sprint(slow) || !cmp.Equal(p.Data, q.Data) || len(p.Objects) != len(q.Objects) {
			t.Fatalf("%v and %d objects, byte by byte %v and %d", err, len(p.Objects), slow, len(q.Objects))
		}
		if err != nil {
			return
		}
		if !concatenated(body) {
			t.Fatal("encoding/json does not take it")
		}
		for i, o := range p.Objects {
			v := jsontext.Value(p.Object(i))
			if !v.IsValid() || v.Kind() != '{' || o.IDStart > o.IDEnd || o.IDEnd > o.End {
				t.Fatalf("object %d", i)
			}
		}
	})
}

// concatenated reports whether encoding/json takes body for values, one after
// another.
func concatenated(body []byte) bool {
	d := json.NewDecoder(bytes.NewReader(body))
	for {
		var v json.RawMessage
		switch err := d.Decode(&v); {
		case err == io.EOF:
			return true
		case err != nil || !json.Valid(v):
			return false
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, shape := range []string{"array", "lines"} {
		b.Run(shape, func(b *testing.B) {
			body := "[" + strings.Join(records(500), ",") + "]"
			if shape == "lines" {
				body = strings.Join(records(500), "\n") + "\n"
			}
			var p Page
			r := strings.NewReader("")
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				p.Reset()
				r.Reset(body)
				if err := decode(r, decodeTask{page: &p, created: "created_at"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkJSONText is jsontext by itself, to compare.
func BenchmarkJSONText(b *testing.B) {
	body := strings.Join(records(500), "\n") + "\n"
	b.SetBytes(int64(len(body)))
	var d jsontext.Decoder
	for b.Loop() {
		d.Reset(strings.NewReader(body))
		for {
			if _, err := d.ReadValue(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
