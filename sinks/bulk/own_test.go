package bulk

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flytt/pipeline"
	"flytt/pipeline/pipelinetest"
)

// fixedCampaign returns a campaign with the rows of these keys, into a server that does
// nothing unusual but to tell its time.
func fixedCampaign(t *testing.T, keys ...string) *campaign {
	c := &campaign{t: t, random: rand.New(rand.NewPCG(1, 1)), shared: map[string]bool{}, older: map[string]bool{},
		fields: []string{"name", "custom_id", "external_client.id", "email", "title"},
		o:      ImportOptions{Target: Target{Path: bulkPath, Key: "custom_id", KeyLookup: true, Mode: CreateOnly, Created: "created_at"}, Settle: 30 * time.Second},
		api: &rewriter{random: rand.New(rand.NewPCG(1, 2)), pass: func(string) {}, forms: map[string]string{}, shape: "records",
			made: map[string]int{}, bad: map[string]bool{}, dated: true, stamped: true}}
	for i, key := range keys {
		c.rows = append(c.rows, []string{fmt.Sprintf("Ada %d", i), key, clientID, "ada@example.se", pipelinetest.Null})
	}
	return c
}

// before has a record there before the run: that of row, with another name, if it is not
// empty.
func (c *campaign) before(row int, name string) map[string]any {
	item := c.item(c.rows[row])
	if name != "" {
		item["name"] = name
	}
	data := c.api.keep("", item)
	time.Sleep(time.Hour)
	return data
}

// through imports all rows in chunks of size and returns what became of them.
func (c *campaign) through(size int) string {
	l := c.newLeg(upTo(len(c.rows)), nil)
	l.size = size
	c.legs = append(c.legs, l)
	for n := 0; n < 5 && (!l.through || l.open); n++ {
		c.pass(l, 0)
	}
	return l.text()
}

// text returns what became of the rows of l, with the codes of those that are rejected.
func (l *leg) text() string {
	var out []string
	for _, row := range l.rows {
		text := l.fates[row].String()
		if l.fates[row] == pipeline.Rejected {
			text += fmt.Sprint(" ", l.codes[row])
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// TestOwnRecordAmongOthers loses a request or an answer, and has other records that a look-up of the
// row's key shows, or may show.
func TestOwnRecordAmongOthers(t *testing.T) {
	for _, test := range []struct {
		name  string
		keys  []string
		setup func(c *campaign)
		size  int
		drops bool // the request is lost on its way, not the answer
		want  string
	}{
		{name: "an older one with the key", keys: []string{"K-1", "K-2", "K-3"}, size: 1,
			setup: func(c *campaign) { c.before(1, "Somebody else") }, want: "written, written, written"},
		{name: "an older one with the key, and as it was sent", keys: []string{"K-1", "K-2", "K-3"}, size: 1,
			setup: func(c *campaign) { c.before(1, "") }, want: "written, written, written"},
		{name: "an older one with the key, and the row's own has another form", keys: []string{"k-1", "K-2", "k-3"}, size: 1,
			setup: func(c *campaign) {
				c.before(1, "Somebody else")["custom_id"] = "K-2"
				c.api.forms["custom_id"] = "lower"
			}, want: "written, written, written"},
		{name: "that of another row, whose key became this one's", keys: []string{"AB  1", "AB 1", "AB 2"}, size: 1,
			setup: func(c *campaign) { c.api.forms["custom_id"] = "collapse" }, drops: true, want: "written, written, written"},
		{name: "that of a later row, whose key became this one's", keys: []string{"29", "101", "0101"}, size: 1,
			setup: func(c *campaign) { c.api.forms["custom_id"] = "strip zeros" }, drops: true, want: "written, written, written"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := fixedCampaign(t, test.keys...)
				test.setup(c)
				c.api.loses = func(post int) bool { return post == 2 && !test.drops }
				c.api.drops = func(post int) bool { return post == 2 && test.drops }
				if got := c.through(test.size); got != test.want {
					t.Errorf("got %s, want %s", got, test.want)
				}
				c.check()
			})
		})
	}
}

// TestRecordOfALaterRow has a server that lower-cases keys lose two rows: one on its way,
// and the answer to the other, whose key is the beginning of the first one's. The record
// is that of the second row.
func TestRecordOfALaterRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fixedCampaign(t, "AB 9", "AB 23", "AB 2", "AB 7")
		c.api.forms["custom_id"] = "lower"
		for _, row := range c.rows {
			row[0] = "Ada"
		}
		c.api.loses = func(post int) bool { return post == 3 }
		c.api.drops = func(post int) bool { return post == 2 }
		if got := c.through(1); got != "written, written, written, written" {
			t.Error(got)
		}
		c.check()
	})
}

// TestRetryLooksRowsUpWhateverTheListShows retries rows that were rejected for their keys,
// with a list that shows nothing for once.
func TestRetryLooksRowsUpWhateverTheListShows(t *testing.T) {
	for blind := range 12 {
		synctest.Test(t, func(t *testing.T) {
			c := fixedCampaign(t, "K-1", "K-2", "K-3")
			c.o.SkipExisting = blind%2 > 0
			blind := blind / 2
			c.before(0, "Somebody else")
			c.o.Created = "" // so that the row's own record is not told from others
			c.api.forms["name"] = "prefix"
			c.api.loses = func(post int) bool { return post == 2 }
			if got := c.through(3); !strings.Contains(got, "rejected") {
				t.Fatal(got)
			}
			c.api.gets = 0
			c.api.empty = func(get int) bool { return get == blind }
			c.retry()
			c.api.empty = nil
			for range 3 {
				c.pass(c.legs[len(c.legs)-1], 0)
			}
			if c.madeTooOften() != "" {
				t.Errorf("request %d for the list shows nothing, and a row is made twice", blind)
			}
		})
	}
}

// TestRowsThatAreNotShownTeachNothing has a server that writes the good rows of a request
// that it refuses, and stores keys in another form: rows that no answer showed do not
// tell that their keys are kept.
func TestRowsThatAreNotShownTeachNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fixedCampaign(t, "K-1", "a & b", "c & d", "e & f")
		g := c.api
		g.forms["custom_id"], g.partial, g.names = "escape", true, "aligned"
		g.bad[c.sentOf(c.rows[1])] = true
		c.o.Atomicity, c.o.Created = PartialWrites, ""
		g.loses = func(post int) bool { return post == 3 }
		got := c.through(3)
		if want := "written, rejected [refused], written, in_doubt"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if n := g.made[c.kindOf(c.rows[3])]; n != 1 {
			t.Errorf("the row of which nothing is known was made %d times", n)
		}
	})
}

// TestBadRowAmongKeysThatChange has a server that does not say which rows it refuses, and
// stores keys in another form, so that no look-up tells which rows of a refused request
// it has written: all are in doubt. In the next passes they are sent one by one.
func TestBadRowAmongKeysThatChange(t *testing.T) {
	for _, partial := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var keys []string
			for i := range 40 {
				keys = append(keys, fmt.Sprintf("K-%d", 10+i))
			}
			c := fixedCampaign(t, keys...)
			c.api.forms["custom_id"], c.api.partial = "lower", partial
			c.api.bad[c.sentOf(c.rows[23])] = true
			got := c.through(40)
			if want := strings.Repeat("written, ", 23) + "rejected [refused]" + strings.Repeat(", written", 16); got != want {
				t.Errorf("partial %t: got %s", partial, got)
			}
			if c.api.posts > 60 {
				t.Errorf("partial %t: %d requests", partial, c.api.posts)
			}
			c.check()
		})
	}
}

// TestRowsThatARefusalDoesNotNameGetTheirIDs has a server that writes the good rows of a
// request that it refuses, and changes some keys: the rows whose keys it keeps are found by
// them.
func TestRowsThatARefusalDoesNotNameGetTheirIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fixedCampaign(t, "K-1", "k-2", "K-3", "K-4", "K-5")
		g := c.api
		g.forms["custom_id"], g.partial, g.names = "upper", true, "aligned"
		g.bad[c.sentOf(c.rows[3])] = true
		c.o.Atomicity = PartialWrites
		if got, want := c.through(2), "written, written, written, rejected [refused], written"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		for row := range c.rows {
			if row != 3 && c.legs[0].ids[row] == "" {
				t.Errorf("row %d has no id", row)
			}
		}
		c.check()
	})
}

// TestIDsThatRowsWereFoundToHave has an answer with too few ids, whose rows are found by
// their keys, and loses the next request of the chunk. No id is left that could be that of
// a row of it: they are sent again.
func TestIDsThatRowsWereFoundToHave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := fixedCampaign(t, "K-1", "K-2", "K-3", "K-4", "K-5")
		c.api.shape = "ids"
		c.o.MaxBytes = 300 // room for two rows
		c.api.hides = func(post int) bool { return post == 2 }
		c.api.drops = func(post int) bool { return post == 3 }
		if got, want := c.through(5), "written, written, written, written, written"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		c.check()
	})
}
