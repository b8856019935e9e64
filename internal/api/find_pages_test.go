package api_test

import (
	"fmt"
	"testing"

	"flytt/internal/api"
)

// manyKeys returns n keys.
func manyKeys(n int) (keys []string) {
	for i := range n {
		keys = append(keys, fmt.Sprintf("K-%03d", i))
	}
	return keys
}

// TestFindByKeysInAListWithoutPages has a list whose every page is all there is.
func TestFindByKeysInAListWithoutPages(t *testing.T) {
	keys := manyKeys(60)
	l := &list{keys: append(keys[:33:33], keys[7]), pageSize: 500, stuck: true}
	found, err := l.find(t, keys[0], keys...)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 33 || len(found[keys[7]].Records) != 2 {
		t.Errorf("%d keys found, %d of one that appears twice", len(found), len(found[keys[7]].Records))
	}
	if found, err := (&list{keys: keys[:1], pageSize: 500, stuck: true}).find(t, keys[0], "N"); err != nil || len(found) != 0 {
		t.Errorf("only the control: %v, %v", found, err)
	}
}

// TestFindByKeysIsNotTakenInByACutList has lists that show the first page
// whatever page is asked for: what they hide is not absent.
func TestFindByKeysIsNotTakenInByACutList(t *testing.T) {
	keys := manyKeys(40)
	for _, size := range []int{1, 7, 39} {
		found, err := (&list{keys: keys, pageSize: size, stuck: true}).find(t, keys[0], keys...)
		if err == nil {
			t.Errorf("pages of %d: %d keys found, the others believed absent", size, len(found))
		}
	}
}

// TestFindByKeysReadsNoPageInVain counts requests.
func TestFindByKeysReadsNoPageInVain(t *testing.T) {
	keys := manyKeys(83)
	for _, test := range []struct {
		name     string
		list     *list
		requests int32
	}{
		{"all found", &list{keys: keys, pageSize: 500}, 1},
		{"one not found", &list{keys: keys[1:], pageSize: 500}, 2},
		{"pages cut to a round length", &list{keys: keys, pageSize: 50}, 3},
		{"a second record", &list{keys: append(keys[:82:82], keys[3]), pageSize: 500}, 2},
	} {
		_, err := test.list.find(t, keys[3], keys...)
		if n := test.list.requests.Load(); err != nil || n != test.requests {
			t.Errorf("%s: %d requests, want %d; %v", test.name, n, test.requests, err)
		}
	}
	l := &list{keys: keys[:80], pageSize: 80} // a page that may have been cut
	if _, err := l.find(t, keys[3], keys[:80]...); err != nil || l.requests.Load() != 2 {
		t.Errorf("a round length: %d requests; %v", l.requests.Load(), err)
	}
}

// TestFindByKeysWithWhiteSpaceStored has records whose keys have white space
// around them.
func TestFindByKeysWithWhiteSpaceStored(t *testing.T) {
	l := &list{keys: []string{"A", " lead", "lead"}, pageSize: 500}
	found, err := l.find(t, "A", "A", "lead", " lead")
	if err != nil || len(found["lead"].Records) != 1 || len(found[" lead"].Records) != 1 || found[" lead"].Records[0].Key != " lead" {
		t.Errorf("%v, %v", found, err)
	}
	l = &list{keys: []string{"A", "tail "}, pageSize: 500, deaf: true} // it compares keys without their white space
	found, err = l.find(t, "A", "tail")
	if err != nil || len(found["tail"].Records) != 1 || found["tail"].Records[0].Key != "tail " {
		t.Errorf("%v, %v", found, err)
	}
}

// TestFindByUniqueKeysStopsWhenAllAreFound counts requests of a lookup by id.
func TestFindByUniqueKeysStopsWhenAllAreFound(t *testing.T) {
	keys := manyKeys(50)
	for size, want := range map[int]int32{500: 1, 50: 1, 20: 3} {
		l := &list{keys: keys, pageSize: size}
		if _, err := l.lookUp(t, api.Lookup{Keys: keys, Unique: true}); err != nil || l.requests.Load() != want {
			t.Errorf("pages of %d: %d requests, want %d; %v", size, l.requests.Load(), want, err)
		}
	}
}
