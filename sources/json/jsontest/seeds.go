// Package jsontest has JSON for the fuzz tests of what reads it.
package jsontest

import "strings"

// Seeds is JSON that is, nearly is, or is not.
var Seeds = []string{
	`{"a":1,"b":{"c":"x","d":null},"e":[1,{"f":[]}],"g":true,"h":""}`,
	`{"a":"\ud83d\ude00 \u00e5 \n \/ \\ \""}`, `{"a":"\ud83d"}`, `{"a":"\ude00\ud83d"}`, `{"a":"\u0000"}`, `{"a":"\ud83d\u0041"}`,
	`{"a":-0,"b":1e400,"c":9223372036854775808,"d":1.50E+007,"e":-1.0e-1}`,
	`{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":+1}`, `{"a":NaN}`, `{"a":-Infinity}`, `{"a":1e}`, `{"a":--1}`, `{"a":0x1}`,
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":{"b":1,"b":2}}`, `{"":1,"":2}`, `[{"a":1},{"a":1,"b":{"a":1}}]`,
	`{"a":1,}`, `{"a":[1,]}`, `{,}`, `{"a"}`, `{"a":}`, `{'a':1}`, `{a:1}`, `{"a":1}}`, `{"a":1} x`, `{"a":tru}`, `{"a":nulll}`, `{"a" 1}`,
	"{\"a\":\"\x01\"}", "{\"a\":\"\x7f\xc3\xa5\"}", "{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\x80\"}", "\x01{\"a\":1}", "{\"a\":\x0b1}", "\u00a0{}",
	`"a"`, `17`, `null`, `[]`, `{}`, ` `, ``, `{"a":1 /* x */}`, `{"a":"` + strings.Repeat("x", 20) + `\`, `{"a":"\x"}`, `{"a":"\u00zz"}`,
	`{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, `{"a":` + strings.Repeat("[", 70),
	`{"long name of a member":1,"long name of a memben":2,"abcd":1,"abce":2,"ab":1,"ac":3}`,
}
