package main

import (
	"strings"
	"testing"
)

func TestVisitEndsWithItsInput(t *testing.T) {
	address, ca, closeRoom := openRoom(t)
	defer closeRoom()
	ann := enter(t, address, "ann", ca)
	ann.say(t, "not UTF-8: \xff")
	ann.hears(t, "ann: not UTF-8: ?")
	if err := ann.mouth.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ann.left; err != nil {
		t.Errorf("who leaves gets %v", err)
	}
}

func TestVisitNeedsARoom(t *testing.T) {
	address, ca, closeRoom := openRoom(t)
	closeRoom()
	if err := visit(t.Context(), address, "ann", ca, strings.NewReader(""), new(strings.Builder)); err == nil {
		t.Error("want an error")
	}
}
