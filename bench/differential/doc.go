// Package differential has its substance in its tests: it feeds the same bytes to a server
// connection of this library and to other libraries', and compares which messages they
// deliver and how they end. What is known to differ is listed in differences_test.go.
package differential
