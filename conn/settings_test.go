package conn

import (
	"testing"
	"time"
)

func TestDefaultsAreFilledIn(t *testing.T) {
	for _, s := range []settings{(&AcceptOptions{}).settings(), (&DialOptions{}).settings()} {
		if s.messageLimit != DefaultMessageLimit || s.closeTimeout != DefaultCloseTimeout ||
			s.pingInterval != DefaultPingInterval || s.pongTimeout != DefaultPongTimeout {
			t.Errorf("%+v", s)
		}
	}
	a := AcceptOptions{MessageLimit: 7, CloseTimeout: 1, PingInterval: 2, PongTimeout: 3, HandshakeTimeout: 4}
	if s := a.settings(); s.messageLimit != 7 || s.closeTimeout != 1 || s.pingInterval != 2 || s.pongTimeout != 3 || a.timeout() != 4 {
		t.Errorf("%+v", s)
	}
	d := DialOptions{MessageLimit: -1, PingInterval: -time.Second}
	if s := d.settings(); s.messageLimit != 0 || s.pingInterval != 0 {
		t.Errorf("%+v", s)
	}
}
