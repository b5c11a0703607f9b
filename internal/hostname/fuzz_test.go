package hostname

import "testing"

// FuzzToASCII: what is accepted is ASCII without a separator of URLs, and stays what it is when it is converted again.
func FuzzToASCII(f *testing.F) {
	for _, host := range []string{"b\u00fccher.example:443", "fa\u00df.de", "xn--bcher-kva", "\uff11\uff12\uff17.0.0.1", "[::1%a]:1", "a\uff0fb", "\u3002", "xn--.a"} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		ascii, err := ToASCII(host)
		if err != nil || isASCII(host) && ascii == host || host[0] == '[' {
			return
		}
		again, err := ToASCII(ascii)
		if err != nil || again != ascii {
			t.Errorf("%q became %q, and that %q, %v", host, ascii, again, err)
		}
		if !isASCII(host) {
			for i, c := range ascii {
				if !isASCII(string(c)) || isForbidden(c) && c != ':' || c == ':' && i == 0 {
					t.Errorf("%q became %q", host, ascii)
				}
			}
		}
	})
}
