// Package doccheck holds the documentation to the code: README's programs compile,
// and every test and identifier that the tables of docs/security.md and
// docs/conformance.md name exists.
package doccheck
