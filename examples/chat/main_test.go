package main

import (
	"net"
	"strings"
	"testing"
)

func TestRoomClosesForEverybody(t *testing.T) {
	address, ca, closeRoom := openRoom(t)
	ann := enter(t, address, "ann", ca)
	ann.say(t, "anybody here?")
	ann.hears(t, "ann: anybody here?")
	closeRoom()
	if err := <-ann.left; err != nil {
		t.Errorf("who is there when the room closes gets %v", err)
	}
}

func TestBusyAddressSaysHowToChooseAnother(t *testing.T) {
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := open(t.Context(), ln.Addr().String(), ca); err == nil || !strings.Contains(err.Error(), "-listen") {
		t.Errorf("got %v, want a way out", err)
	}
}
