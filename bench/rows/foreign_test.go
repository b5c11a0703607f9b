package rows

import "testing"

func TestOnlyLoopbackIsLoaded(t *testing.T) {
	for url, ok := range map[string]bool{
		"wss://127.0.0.1:8443/echo": true, "ws://localhost:80": true, "wss://[::1]:1/": true,
		"wss://192.0.2.1/": false, "http://127.0.0.1/": false, "wss://%zz": false,
	} {
		_, err := (&Foreign{URL: url}).target()
		if (err == nil) != ok {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestTheHostStaysThatOfTheURL(t *testing.T) {
	target, err := (&Foreign{URL: "wss://localhost:8443/echo?x=1"}).target()
	if err != nil || target.Host != "localhost:8443" || target.Path != "/echo?x=1" || target.TLS.ServerName != "localhost" {
		t.Errorf("%+v, %v", target, err)
	}
}

func TestProcStatIsReadBehindTheName(t *testing.T) {
	n, err := statTicks("42 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 150 27 0 0 20 0")
	if n != 177 || err != nil {
		t.Error(n, err)
	}
	if _, err := statTicks("42 (x) R 1"); err == nil {
		t.Error("a short line was taken")
	}
}
