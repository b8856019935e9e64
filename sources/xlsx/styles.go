package xlsx

import (
	"strconv"
	"strings"
)

// format says what a number format makes of a number.
type format uint8

const (
	formatNumber  format = iota
	formatDate           // a date, with or without a time
	formatTime           // a time of day
	formatElapsed        // hours that go on beyond 24
)

// maxStyles is far above the 65,490 that Excel has.
const maxStyles = 1 << 20

// readStyles returns the format of each cell style.
func (a *archive) readStyles(name string) ([]format, error) {
	p, err := a.open(name)
	if err != nil {
		return nil, err
	}
	formats := []format{}
	custom := map[int]format{}
	var ids []int
	s := newStream(p)
	err = s.walk(func(elements []string) {
		if len(elements) != 3 || len(ids) >= maxStyles || len(custom) >= maxStyles {
			return
		}
		switch elements[1] + "/" + elements[2] {
		case "numFmts/numFmt":
			if id, err := strconv.Atoi(s.attr("numFmtId")); err == nil {
				custom[id] = parseFormat(s.attr("formatCode"))
			}
		case "cellXfs/xf":
			id, _ := strconv.Atoi(s.attr("numFmtId")) // absent: 0, a number
			ids = append(ids, id)
		}
	})
	for _, id := range ids {
		f, ok := custom[id]
		if !ok {
			f = builtin(id)
		}
		formats = append(formats, f)
	}
	return formats, err
}

// builtin returns the format that a number below 164 stands for, including those of
// East Asian and Thai workbooks.
func builtin(id int) format {
	switch {
	case id >= 18 && id <= 21, id == 45, id == 47, id == 32, id == 33, id >= 75 && id <= 77, id == 79, id == 80:
		return formatTime
	case id == 46, id == 78:
		return formatElapsed
	case id >= 14 && id <= 22, id >= 27 && id <= 36, id >= 50 && id <= 58, id >= 71 && id <= 74, id == 81:
		return formatDate
	}
	return formatNumber
}

// parseFormat returns the format of a number format code, by the unquoted letters of
// its first section.
func parseFormat(code string) format {
	code = strings.ToLower(code)
	var date, clock, month, elapsed bool
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case '"':
			i = skipTo(code, i+1, '"')
		case '\\', '_', '*': // the next character is literal, a width or a filling
			i++
		case '[':
			end := skipTo(code, i+1, ']')
			elapsed = elapsed || isElapsed(code[i+1:end])
			i = end
		case ';':
			i = len(code)
		case 'g':
			if strings.HasPrefix(code[i:], "general") {
				i += len("general") - 1
			} else {
				date = true
			}
		case 'e':
			if i+1 < len(code) && (code[i+1] == '+' || code[i+1] == '-') {
				return formatNumber // an exponent
			}
			date = true
		case 'y', 'd', 'b':
			date = true
		case 'h', 's':
			clock = true
		case 'm':
			month = true
		}
	}
	switch {
	case elapsed && !date:
		return formatElapsed
	case date || month && !clock:
		return formatDate
	case clock:
		return formatTime
	}
	return formatNumber
}

// skipTo returns where the next end is, from i on; the last byte if nowhere.
func skipTo(code string, i int, end byte) int {
	if i >= len(code) {
		return i
	}
	if n := strings.IndexByte(code[i:], end); n >= 0 {
		return i + n
	}
	return len(code)
}

// isElapsed reports whether the text in brackets is hours, minutes or seconds.
func isElapsed(s string) bool {
	return s != "" && (strings.Trim(s, "h") == "" || strings.Trim(s, "m") == "" || strings.Trim(s, "s") == "")
}
