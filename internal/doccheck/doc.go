// Package doccheck holds the documentation to the code: README's programs compile,
// and every test that docs/security.md names exists.
package doccheck
