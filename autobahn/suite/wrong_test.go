package suite

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/seed-c4549abd/wss/autobahn/suite/faulty"
)

// TestTheConsoleSaysWhatThePageSays: the rule that was broken, with its section and the octets, and the waits in vain.
func TestTheConsoleSaysWhatThePageSays(t *testing.T) {
	for _, tt := range []struct {
		fault faulty.Fault
		id    string
		says  []string
	}{
		{faulty.Masks, "1.1.2", []string{"masked frame of a server (RFC 6455 §5.1), in a frame that begins 81fd00000000"}},
		{faulty.LongHeaders, "1.1.2", []string{"length not in its shortest form, or too long (RFC 6455 §5.2), in a frame that begins 817f000000000000007d"}},
		{faulty.NoUTF8, "6.19.1", []string{"text is not UTF-8 (RFC 6455 §5.6), in a frame that begins 8102"}},
		{faulty.NoUTF8, "6.19.2", []string{"The peer did not fail the connection."}},
		{faulty.HalfCharacters, "6.14.6", []string{"text ends within a character (RFC 6455 §5.6)"}},
		{faulty.EchoesTextAsBinary, "1.1.2", []string{
			"Wanted text message", "; came binary message", "Within 1s the case had not come to its end, and the suite failed the connection with 1001.",
		}},
		{faulty.Masks, "1.1.3", []string{"; came the frame that broke a rule."}},
		{faulty.LongHeaders, "1.2.2", []string{"; came the frame that broke a rule."}},
		{faulty.NoPongs, "2.1", []string{`Wanted pong ""; came nothing.`, "the suite began the closing handshake without a status code"}},
		{faulty.StaysConnected, "2.1", []string{"The server left the TCP connection open after both close frames.", "By the RFC alone: OK, FAILED BY CLIENT."}},
	} {
		t.Run(tt.id+" of who "+string(tt.fault), func(t *testing.T) {
			t.Parallel()
			eventually(t, func(t *attempt) {
				rep, err := Run(t.Context(), Options{URL: faultyServer(t.T, tt.fault, nil), Cases: []string{tt.id}, Latency: 1})
				if err != nil {
					t.Fatal(err)
				}
				var console bytes.Buffer
				if err := rep.WriteTable(&console); err != nil {
					t.Fatal(err)
				}
				for _, want := range tt.says {
					if !strings.Contains(console.String(), want) {
						t.Errorf("there is no %q in\n%s", want, &console)
					}
				}
			})
		})
	}
}

// TestWhatTheSuiteDidNotSendIsNotNamed: when a wait is over and the closing handshake has begun already, no code goes out, and no
// handshake begins.
func TestWhatTheSuiteDidNotSendIsNotNamed(t *testing.T) {
	closing := func(head string) string { return agreeing(head) + "\x88\x02\x03\xe8" }
	for id, tt := range map[string]struct{ url, says string }{
		"3.1": {faultyServer(t, faulty.StaysConnected, nil), "Within 1s the connection had not ended, and the suite ended the TCP connection."},
		"2.2": {sloppyServer(t, closing), "The other end should have failed the connection."},
	} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			eventually(t, func(t *attempt) {
				rep, err := Run(t.Context(), Options{URL: tt.url, Cases: []string{id}, Latency: 1})
				if err != nil {
					t.Fatal(err)
				}
				text := rep.Results[0].Explain(100)
				if !strings.Contains(text, tt.says) {
					t.Errorf("there is no %q in\n%s", tt.says, text)
				}
				for _, untrue := range []string{"1001", "began the closing handshake", "the closing handshake begins"} {
					if strings.Contains(text, untrue) {
						t.Errorf("there is %q in\n%s", untrue, text)
					}
				}
			})
		})
	}
}

// TestWhoDeclinesCompressionIsNotBlamed for how the connection ends, whatever the case would have had it fail for.
func TestWhoDeclinesCompressionIsNotBlamed(t *testing.T) {
	patterns := []string{"12.1.1", "13.2.1", "26.*"}
	eventually(t, func(t *attempt) {
		rep, err := Run(t.Context(), Options{URL: faultyServer(t.T, faulty.Declines, nil), Cases: patterns})
		if err != nil {
			t.Fatal(err)
		}
		s, base := fuzzingServer(t.T, ServerOptions{Cases: patterns})
		faultyClient(t.T, faulty.None, s, base, 16) // it offers none
		for _, r := range slices.Concat(rep.Results, s.Reports()[0].Results) {
			if r.Behavior != "UNIMPLEMENTED" || r.BehaviorClose != "OK" {
				t.Errorf("%s: %s, %s: %s", r.ID, r.Behavior, r.BehaviorClose, r.ResultClose)
			}
		}
	})
}

// TestAnEchoOfTheSuitesOwnCodeIsExplained: the peer repeats the 1001 with which the suite has given a case up.
func TestAnEchoOfTheSuitesOwnCodeIsExplained(t *testing.T) {
	eventually(t, func(t *attempt) {
		rep, err := Run(t.Context(), Options{URL: faultyServer(t.T, faulty.EchoesTextAsBinary, nil), Cases: []string{"1.1.2"}, Latency: 1})
		if err != nil {
			t.Fatal(err)
		}
		r := rep.Results[0]
		for _, want := range []string{"Within 1s the case had not come to its end", "The suite had sent 1001, and the peer answered with 1001."} {
			if !strings.Contains(r.ResultClose, want) {
				t.Errorf("%s: %s, without %q", r.BehaviorClose, r.ResultClose, want)
			}
		}
		if r.ByRFC == nil || r.ByRFC.BehaviorClose != "OK" {
			t.Errorf("by the RFC: %+v", r.ByRFC)
		}
	})
}

// TestATCPConnectionThatIsLeftOpenIsSaidToBe, and that both close frames were there.
func TestATCPConnectionThatIsLeftOpenIsSaidToBe(t *testing.T) {
	eventually(t, func(t *attempt) {
		rep, err := Run(t.Context(), Options{URL: faultyServer(t.T, faulty.StaysConnected, nil), Cases: []string{"1.1.1", "2.1", "7.1.2", "24.2.1"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rep.Results {
			if got := r.closed(); !strings.HasSuffix(got, "both close frames were there, and the server left the TCP connection open") {
				t.Errorf("%s: %s", r.ID, got)
			}
			details := map[string]string{}
			for _, d := range r.closingDetails() {
				details[d.Name] = d.Text
			}
			if details["both close frames were seen"] != "yes" || details["the server ended the TCP connection"] != "no" {
				t.Errorf("%s: %v", r.ID, details)
			}
			r.countByRFC()
			if r.BehaviorClose != "FAILED BY CLIENT" {
				t.Errorf("%s: by the RFC %s", r.ID, r.BehaviorClose)
			}
		}
	})
}

// TestAnExchangeThatHasComeToAStandstillIsGivenUp, rather than waited for until its time is over.
func TestAnExchangeThatHasComeToAStandstillIsGivenUp(t *testing.T) {
	eventually(t, func(t *attempt) {
		o := Options{URL: sloppyServer(t.T, agreeing), Cases: []string{"9.1.1", "9.8.6"}, Slowness: 0.01, Latency: 1}
		rep, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		// 9.1.1 waits for a tenth of a second in all, half of what counts as a standstill; 9.8.6 for five seconds.
		for i, want := range []string{"Not everything came back within 10s.", "Not everything came back. For 200ms nothing came, and the suite"} {
			if r := rep.Results[i]; r.Behavior != "FAILED" || !strings.HasPrefix(r.Result, want) {
				t.Errorf("%s: %s: %s, want %q", r.ID, r.Behavior, r.Result, want)
			}
		}
	})
}

// hangsUp serves connections that end when the first frame has come.
func hangsUp(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				if head, err := readHead(in); err == nil {
					_, _ = io.WriteString(conn, agreeing(head))
					_, _ = in.ReadByte()
				}
			}()
		}
	}()
	return "ws://" + ln.Addr().String()
}

// TestAnExchangeThatThePeerEndsIsSaidToBeSo, rather than to have lasted too long.
func TestAnExchangeThatThePeerEndsIsSaidToBeSo(t *testing.T) {
	eventually(t, func(t *attempt) {
		rep, err := Run(t.Context(), Options{URL: hangsUp(t.T), Cases: []string{"9.1.1", "9.7.1"}, Latency: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rep.Results {
			if r.Result != "Not everything came back: the peer ended the connection." {
				t.Errorf("%s: %s: %s", r.ID, r.Behavior, r.Result)
			}
		}
	})
}

// TestEveryCaseHasASection that it is about.
func TestEveryCaseHasASection(t *testing.T) {
	for _, c := range append(Cases(), Beyond()...) {
		if Section(c.ID) == "" {
			t.Errorf("%s has none", c.ID)
		}
	}
	for id, want := range map[string]string{
		"2.5": "RFC 6455 §5.5", "2.6": "RFC 6455 §5.5.2, §5.5.3", "5.1": "RFC 6455 §5.5", "5.10": "RFC 6455 §5.4", "8.1": "", "": "",
	} {
		if got := Section(id); got != want {
			t.Errorf("%q: %q, want %q", id, got, want)
		}
	}
}

// TestEveryRuleHasASection that a header of a peer's can break.
func TestEveryRuleHasASection(t *testing.T) {
	for b0 := range 256 {
		for _, b1 := range []byte{0, 1, 5, 126, 127} {
			for _, wantsMask := range []bool{false, true} {
				for _, lengthy := range []bool{false, true} {
					in := &inbound{wantsMask: wantsMask, lengthy: lengthy, inMessage: b0&1 == 0, inflater: &inflater{}}
					if _, err := in.head.Parse([]byte{byte(b0), b1, 0, 200, 0, 0, 0, 0, 0, 0}); err != nil {
						continue
					}
					for _, rule := range in.broken() {
						if sectionsOfRules[rule] == "" {
							t.Errorf("%q has none", rule)
						}
					}
				}
			}
		}
	}
}
