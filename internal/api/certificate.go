package api

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"runtime"
)

// untrusted reports whether err is about the server's certificate.
func untrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &verification) || errors.As(err, &authority) ||
		errors.As(err, &host) || errors.As(err, &invalid)
}

// CertificateHint says what to do about err, if it is about the server's certificate;
// empty if it is not.
func CertificateHint(err error) string {
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case !untrusted(err):
		return ""
	case errors.As(err, &host):
		return "the server's certificate is for another host name; check FLYTT_BASE_URL, and any proxy on the way"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the server's certificate has expired, or is not valid yet; check this machine's clock, or ask whoever runs the server to renew the certificate"
	case unknownAuthority(err):
		return "if the certificate is from an authority of your organization, or from a proxy that inspects TLS, " + trustAuthority(runtime.GOOS) + "; otherwise somebody may be reading along: stop here"
	}
	return "the server's certificate is not valid; ask whoever runs the server, or the proxy on the way"
}

// unknownAuthority reports whether err says that this machine trusts none of the
// authorities that vouch for the certificate.
func unknownAuthority(err error) bool {
	var authority x509.UnknownAuthorityError
	var noRoots x509.SystemRootsError
	return errors.As(err, &authority) || errors.As(err, &noRoots)
}

// trustAuthority says how a machine with the operating system comes to trust an
// authority. Package crypto/x509 reads SSL_CERT_FILE and SSL_CERT_DIR where it reads
// the authorities from files; elsewhere it asks the system.
func trustAuthority(system string) string {
	switch system {
	case "windows":
		return "add the authority to the Trusted Root Certification Authorities of Windows (SSL_CERT_FILE has no effect there)"
	case "darwin", "ios":
		return "add the authority to the keychain and trust it there (SSL_CERT_FILE has no effect on macOS)"
	case "plan9":
		return "add the authority to /sys/lib/tls/ca.pem"
	}
	return "name the PEM file of that authority in SSL_CERT_FILE, or a directory of such files in SSL_CERT_DIR"
}
