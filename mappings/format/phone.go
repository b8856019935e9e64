package format

import "github.com/nyaruka/phonenumbers"

// AppendPhone reads v as a phone number dialled in region (ISO 3166-1 alpha-2,
// SE if empty) and appends its E.164 form to dst: +46701740605. It reports
// false, and returns dst as it was, if v is no valid number of any region, by
// the metadata of libphonenumber: one that merely has a possible length fails.
func AppendPhone(dst, v []byte, region string) ([]byte, bool) {
	if region == "" {
		region = "SE"
	}
	n, err := phonenumbers.Parse(string(v), region)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return dst, false
	}
	return append(dst, phonenumbers.Format(n, phonenumbers.E164)...), true
}
