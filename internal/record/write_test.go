package record_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"flytt/internal/api"
	"flytt/internal/record"
)

// client answers a write with write, and a read with body or err.
type client struct {
	write api.Outcome
	body  string
	err   error
	reads int
}

func (c *client) Create(context.Context, string, []byte, []byte) api.Outcome         { return c.write }
func (c *client) Update(context.Context, string, string, []byte, []byte) api.Outcome { return c.write }
func (c *client) Delete(context.Context, string, string) api.Outcome                 { return c.write }

func (c *client) Get(context.Context, string, string, []byte) (api.Outcome, error) {
	c.reads++
	return api.Outcome{Class: api.Answered, Status: 200, Body: []byte(c.body)}, c.err
}

var errCut = errors.New("the connection was cut")

func answered(status int, body string) api.Outcome {
	return api.Outcome{Class: api.Answered, Status: status, Body: []byte(body)}
}

func lost() api.Outcome { return api.Outcome{Class: api.InDoubt, Err: errCut} }

func TestWrites(t *testing.T) {
	create := func(c record.Client, d *record.Draft) (*record.Result, error) {
		return record.Create(context.Background(), c, "/contacts/", d)
	}
	update := func(c record.Client, d *record.Draft) (*record.Result, error) {
		return record.Update(context.Background(), c, "/contacts/", "17", d)
	}
	remove := func(c record.Client, _ *record.Draft) (*record.Result, error) {
		return record.Delete(context.Background(), c, "/contacts/", "17")
	}
	const chef = `{"id":"17","title":"Chef"}`
	for name, test := range map[string]struct {
		write  func(record.Client, *record.Draft) (*record.Result, error)
		client client
		want   *record.Result
		doubt  *record.DoubtError
		reads  int
	}{
		"created":                   {create, client{write: answered(201, chef)}, &record.Result{Object: []byte(chef)}, nil, 0},
		"created otherwise":         {create, client{write: answered(201, `{"title":"chef"}`)}, &record.Result{Object: []byte(`{"title":"chef"}`), Different: []string{"title"}}, nil, 0},
		"created, and not shown":    {create, client{write: answered(201, "")}, &record.Result{}, nil, 0},
		"perhaps created":           {create, client{write: lost(), body: chef}, nil, &record.DoubtError{Lost: errCut}, 0},
		"changed":                   {update, client{write: answered(200, chef)}, &record.Result{Object: []byte(chef)}, nil, 0},
		"changed, shown when asked": {update, client{write: answered(204, ""), body: chef}, &record.Result{Object: []byte(chef)}, nil, 1},
		"changed, and not shown":    {update, client{write: answered(204, ""), err: errCut}, &record.Result{Unread: errCut}, nil, 1},
		"changed all the same":      {update, client{write: lost(), body: chef}, &record.Result{Object: []byte(chef), Lost: errCut}, nil, 1},
		"perhaps not changed":       {update, client{write: lost(), body: `{"title":"VD"}`}, nil, &record.DoubtError{Lost: errCut, Seen: true}, 1},
		"perhaps changed":           {update, client{write: lost(), err: errCut}, nil, &record.DoubtError{Lost: errCut}, 1},
		"deleted":                   {remove, client{write: answered(204, "")}, &record.Result{}, nil, 0},
		"deleted all the same":      {remove, client{write: lost(), err: api.ErrNotFound}, &record.Result{Lost: errCut}, nil, 1},
		"perhaps not deleted":       {remove, client{write: lost(), body: chef}, nil, &record.DoubtError{Lost: errCut, Seen: true}, 1},
		"perhaps deleted":           {remove, client{write: lost(), err: errCut}, nil, &record.DoubtError{Lost: errCut}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			c := test.client
			got, err := test.write(&c, draft(t, "", "title=Chef"))
			if diff := cmp.Diff(test.want, got, cmpopts.EquateErrors()); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
			var doubt *record.DoubtError
			if err != nil && !errors.As(err, &doubt) {
				t.Fatal(err)
			}
			if (doubt == nil) != (test.doubt == nil) || doubt != nil && *doubt != *test.doubt {
				t.Errorf("doubt %+v, want %+v", doubt, test.doubt)
			}
			if c.reads != test.reads {
				t.Errorf("%d reads, want %d", c.reads, test.reads)
			}
		})
	}
}

// A refusal is no doubt: nothing is looked up.
func TestRefusals(t *testing.T) {
	c := &client{write: answered(400, `{"title":["too long"]}`)}
	d := draft(t, "", "title=Chef")
	for name, write := range map[string]func() (*record.Result, error){
		"create": func() (*record.Result, error) { return record.Create(context.Background(), c, "/contacts/", d) },
		"update": func() (*record.Result, error) { return record.Update(context.Background(), c, "/contacts/", "17", d) },
		"delete": func() (*record.Result, error) { return record.Delete(context.Background(), c, "/contacts/", "17") },
	} {
		_, err := write()
		if _, refused := errors.AsType[*api.RefusedError](err); !refused || c.reads > 0 {
			t.Errorf("%s: %v after %d reads", name, err, c.reads)
		}
	}
}
