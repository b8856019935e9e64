package identity

// doubled holds, for each digit, the sum of the digits of its double.
var doubled = [10]uint8{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}

// Luhn reports whether the last of digits is the check digit of those before
// it (ISO/IEC 7812-1 annex B). Fewer than two digits, or anything that is not
// an ASCII digit, fail. Of a personnummer, only the last ten digits go in.
func Luhn(digits []byte) bool {
	n := len(digits)
	return n >= 2 && isDigit(digits[n-1]) && LuhnDigit(digits[:n-1]) == digits[n-1]
}

// LuhnDigit returns the ASCII digit that Luhn wants after digits, or 0 if
// there are none or one of them is not an ASCII digit.
func LuhnDigit(digits []byte) byte {
	if len(digits) == 0 {
		return 0
	}
	sum, double := 0, true
	for i := len(digits) - 1; i >= 0; i-- {
		d := digits[i] - '0'
		if d > 9 {
			return 0
		}
		if double {
			d = doubled[d]
		}
		sum += int(d)
		double = !double
	}
	return '0' + byte((10-sum%10)%10)
}

// luhn10 is Luhn for exactly ten digits, known to be digits.
func luhn10(t *[10]byte) bool {
	sum := uint(doubled[t[0]-'0']) + uint(doubled[t[2]-'0']) + uint(doubled[t[4]-'0']) +
		uint(doubled[t[6]-'0']) + uint(doubled[t[8]-'0'])
	sum += uint(t[1]) + uint(t[3]) + uint(t[5]) + uint(t[7]) + uint(t[9]) - 5*'0'
	return sum%10 == 0
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func allDigits(v []byte) bool {
	for _, c := range v {
		if !isDigit(c) {
			return false
		}
	}
	return true
}
