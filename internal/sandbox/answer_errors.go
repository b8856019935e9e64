package sandbox

import (
	"bytes"
	"fmt"
	"strconv"
)

// render returns the body of the failure in the given shape.
func (f *failure) render(shape ErrorShape) (contentType string, body []byte) {
	switch shape {
	case TextErrors:
		return textType, []byte(f.text + "\n")
	case HTMLErrors:
		return htmlType, page(fmt.Sprintf("%d %s", f.status, f.text))
	case ListedErrors, KeyedErrors, LineErrors:
		if f.faults != nil || f.items != nil {
			return jsonType, f.records(shape)
		}
	case AlignedErrors, IndexedErrors:
		switch {
		case f.faults != nil:
			return jsonType, appendFaults(nil, f.faults)
		case f.items != nil && shape == IndexedErrors:
			return jsonType, f.indexed()
		case f.items != nil:
			return jsonType, f.aligned()
		}
	}
	return jsonType, f.detail()
}

// detail renders {"detail":"…"}.
func (f *failure) detail() []byte {
	return append(appendString([]byte(`{"detail":`), f.text), '}')
}

// aligned renders a list as long as the items, an empty object for each good one.
func (f *failure) aligned() []byte {
	body := []byte{'['}
	for i, item := range f.items {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendFaults(body, item.faults)
	}
	return append(body, ']')
}

// indexed renders an object with a member for each bad item.
func (f *failure) indexed() []byte {
	body := []byte{'{'}
	for i, item := range f.items {
		if item.faults == nil {
			continue
		}
		body = strconv.AppendInt(append(body, '"'), int64(f.first+i), 10)
		body = append(appendFaults(append(body, `":`...), item.faults), ',')
	}
	return append(bytes.TrimSuffix(body, []byte(",")), '}')
}

// records renders a list with an object for each fault, which names its item as the
// shape demands.
func (f *failure) records(shape ErrorShape) []byte {
	body := []byte(`{"errors":[`)
	for _, fault := range f.faults {
		body = append(appendRecord(append(body, '{'), fault), ',')
	}
	for i, item := range f.items {
		for _, fault := range item.faults {
			body = append(f.appendName(append(body, '{'), shape, i), ',')
			body = append(appendRecord(body, fault), ',')
		}
	}
	return append(bytes.TrimSuffix(body, []byte(",")), "]}"...)
}

// appendName names an item by its line, by its key, or, if it has none, by its index.
func (f *failure) appendName(dst []byte, shape ErrorShape, i int) []byte {
	switch key := f.items[i].key; {
	case shape == LineErrors:
		return strconv.AppendInt(append(dst, `"line":`...), int64(i)+1, 10)
	case shape == KeyedErrors && key != nil:
		return append(append(appendString(dst, f.key), ':'), key...)
	}
	return strconv.AppendInt(append(dst, `"index":`...), int64(f.first+i), 10)
}

// appendRecord renders a fault and ends its object.
func appendRecord(dst []byte, f fault) []byte {
	dst = appendString(append(dst, `"field":`...), f.field)
	dst = appendString(append(dst, `,"message":`...), f.message)
	return append(dst, '}')
}
