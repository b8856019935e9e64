package snapshot_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"flytt/internal/api"
	"flytt/internal/api/list"
	"flytt/internal/snapshot"
	"flytt/mappings"
	"flytt/pipeline"
)

// records are of contacts: two share an address, and one has its key in another form than it
// would be asked for.
var records = []string{
	`{"id":"AAAAAAAA-0000-4000-8000-000000000001","custom_id":"K-1","email":"Anna@example.com","name":"Anna"}`,
	`{"id":"aaaaaaaa-0000-4000-8000-000000000002","custom_id":" K-2 ","email":"anna@example.com","name":"Bo"}`,
	`{"id":"aaaaaaaa-0000-4000-8000-000000000003","custom_id":"k-3","email":null,"name":"Cia"}`,
}

// finder notes what the list is asked for and finds nothing.
type finder struct{ asked []api.Lookup }

func (f *finder) FindByKeys(_ context.Context, l api.Lookup) (map[string]api.Found, error) {
	f.asked = append(f.asked, l)
	return nil, nil
}

// taken returns a snapshot of records, which the API breaks into lines, with its files in dir.
func taken(t *testing.T, ctx context.Context, f snapshot.KeyFinder, dir string, records ...string) (*snapshot.Snapshot, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "[\n"+strings.ReplaceAll(strings.Join(records, ","), `,"name"`, ",\n\"name\"")+"]")
	}))
	t.Cleanup(server.Close)
	const c = "x"
	client, err := api.New(api.Config{BaseURL: server.URL, Credentials: api.Credentials{
		CustomerID: c, ApplicationID: c, ServiceID: c, ServiceVersionID: c, ClientCT: c, ClientEntity: c, ClientSecret: c,
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	contacts, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	rows := list.Open(client, list.NewQuery(contacts.Path+"list/", contacts), list.Options{SingleResponse: true})
	return snapshot.Read(ctx, rows, snapshot.Options{Resource: contacts, Key: "custom_id", Finder: f, Dir: dir})
}

// of returns a snapshot of the records.
func of(t *testing.T, f snapshot.KeyFinder) *snapshot.Snapshot {
	t.Helper()
	dir := t.TempDir()
	s, err := taken(t, context.Background(), f, dir, records...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%d files are left", len(left))
		}
	})
	return s
}

func keysOf(found []api.Record) (keys []string) {
	for _, r := range found {
		keys = append(keys, r.Key)
	}
	return keys
}

func TestRecordsAreFoundByKeyWithoutARequest(t *testing.T) {
	f := &finder{}
	s := of(t, f)
	found, err := s.FindByKeys(context.Background(), api.Lookup{Field: "custom_id", Keys: []string{"K-1", "K-2", "K-9"}})
	if err != nil || len(f.asked) > 0 {
		t.Fatalf("error %v, the list was asked for %v", err, f.asked)
	}
	got := map[string][]string{}
	for key, is := range found {
		got[key] = keysOf(is.Records)
	}
	if diff := cmp.Diff(map[string][]string{"K-1": {"K-1"}, "K-2": {" K-2 "}}, got); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
}

// Only the list knows whether it takes two forms of a key for the same: it is asked, with a
// key by which it can prove that it finds keys.
func TestTheListIsAskedForKeysInAnotherForm(t *testing.T) {
	f := &finder{}
	s := of(t, f)
	if _, err := s.FindByKeys(context.Background(), api.Lookup{Field: "custom_id", Keys: []string{"K-3", "K-1"}}); err != nil {
		t.Fatal(err)
	}
	want := []api.Lookup{{Field: "custom_id", Keys: []string{"K-3"}, Canary: "K-1"}}
	if diff := cmp.Diff(want, f.asked); diff != "" {
		t.Errorf("the list was asked for (-want +got):\n%s", diff)
	}
	similar, err := s.FindSimilar(context.Background(), api.Lookup{Field: "custom_id", Keys: []string{"K-3"}}, nil)
	if err != nil || !slices.Equal(keysOf(similar), []string{"k-3"}) {
		t.Errorf("similar: %v (%v)", keysOf(similar), err)
	}
}

func TestRecordsAreReadByID(t *testing.T) {
	s := of(t, &finder{})
	o, err := s.Get(context.Background(), "", " aaaaaaaa-0000-4000-8000-000000000001", nil)
	if err != nil || string(o.Body) != records[0] {
		t.Errorf("got %s (%v)", o.Body, err)
	}
	if _, err := s.Get(context.Background(), "", "aaaaaaaa-0000-4000-8000-000000000009", nil); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("error %v, want %v", err, api.ErrNotFound)
	}
}

// The mark is that of the records in any order, and of no others.
func TestMark(t *testing.T) {
	mark := func(records ...string) snapshot.Mark {
		s, err := taken(t, context.Background(), nil, "", records...)
		if err != nil {
			t.Fatal(err)
		}
		return *s.Mark()
	}
	is := mark(records...)
	if other := mark(records[2], records[0], records[1]); is != other {
		t.Errorf("in another order %v, was %v", other, is)
	}
	if other := mark(records[0], records[1], strings.Replace(records[2], "Cia", "Mia", 1)); is == other || other.Records != 3 {
		t.Errorf("with another name %v, was %v", other, is)
	}
	if none := (*snapshot.Snapshot)(nil); none.Mark() != nil {
		t.Error("no snapshot has a mark")
	}
}

func TestAReadingThatIsInterruptedLeavesNoFile(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	if _, err := taken(t, ctx, nil, dir, records...); !errors.Is(err, pipeline.ErrInterrupted) {
		t.Errorf("error %v, want %v", err, pipeline.ErrInterrupted)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%d files are left", len(left))
	}
}

// reader reads the first field of rows as an address.
type reader struct{}

func (reader) Read(b *pipeline.Batch, i int, yield func(kind uint8, text []byte)) {
	yield(uint8(mappings.MatchEmail), b.Fields[0].Value(i))
}

func (reader) Field(*pipeline.Batch, int, uint8) int { return 0 }

func TestRowsLikeRecordsAreNoted(t *testing.T) {
	s := of(t, &finder{})
	b := &pipeline.Batch{Rows: []int64{2, 3, 4}, Fates: []pipeline.Fate{pipeline.Pending, pipeline.Pending, pipeline.Rejected}, Fields: make([]pipeline.Column, 1)}
	for _, v := range []string{"anna@example.com", "bo@example.com", "anna@example.com"} {
		b.Fields[0].Append([]byte(v))
	}
	if err := s.Step(reader{}, []int16{4}, "alike").Apply(b); err != nil {
		t.Fatal(err)
	}
	want := []pipeline.Problem{{Row: 0, Field: 0, Column: 4, Severity: pipeline.Warning, Stage: pipeline.Validate, Code: "alike",
		Private: "AAAAAAAA-0000-4000-8000-000000000001"}}
	if diff := cmp.Diff(want, b.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
