package format

// Date reports whether v is a calendar date YYYY-MM-DD (ISO 8601, RFC 3339
// full-date) that exists. The year 0000 does not: the API's calendar starts
// with 0001.
func Date(v []byte) bool {
	if len(v) != 10 || v[4] != '-' || v[7] != '-' {
		return false
	}
	if !allDigits(v[:4]) || !allDigits(v[5:7]) || !allDigits(v[8:]) {
		return false
	}
	year := pair(v)*100 + pair(v[2:])
	month, day := pair(v[5:]), pair(v[8:])
	return year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}

// DateTime reports whether v is a point in time as RFC 3339 writes it,
// 2006-01-02T15:04:05Z or 2006-01-02T15:04:05.999+02:00: a date that exists,
// seconds with or without a fraction, and an offset. T and Z are upper case.
// The leap second 60, which RFC 3339 knows, fails, as it does in the API.
func DateTime(v []byte) bool {
	if len(v) < 20 || v[10] != 'T' || !Date(v[:10]) || !clock(v[11:19]) {
		return false
	}
	v = v[19:]
	if v[0] == '.' {
		n := digits(v[1:])
		if n == 0 {
			return false
		}
		v = v[1+n:]
	}
	return offset(v)
}

// clock reports whether v, eight bytes, is a time hh:mm:ss.
func clock(v []byte) bool {
	return v[2] == ':' && v[5] == ':' && below(v[:2], 24) && below(v[3:5], 60) && below(v[6:], 60)
}

// offset reports whether v is Z or ±hh:mm.
func offset(v []byte) bool {
	if len(v) == 1 {
		return v[0] == 'Z'
	}
	return len(v) == 6 && (v[0] == '+' || v[0] == '-') && v[3] == ':' && below(v[1:3], 24) && below(v[4:], 60)
}

// below reports whether v is two digits that make a number below n.
func below(v []byte, n int) bool { return allDigits(v) && pair(v) < n }

var monthDays = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return monthDays[month]
}

// pair returns the number that the first two digits of v make.
func pair(v []byte) int { return int(v[0]-'0')*10 + int(v[1]-'0') }
