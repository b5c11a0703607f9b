// Package report reads the reports of Autobahn|Testsuite, the conformance suite for RFC 6455 and RFC 7692, prints them
// as tables, and judges them without mercy.
//
// A case passes if both its behavior and its closing behavior are OK; only the cases that the suite itself calls
// informational (7.1.6, 7.13.1 and 7.13.2) may say INFORMATIONAL. NON-STRICT is a failure, UNIMPLEMENTED is a failure,
// and so is a case that should be there and is not: the suite's 517 cases are listed in this package, so that a report
// cut short, or a run with exclusions, does not look like a pass.
package report
