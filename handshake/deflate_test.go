package handshake

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func extensions(t *testing.T, field string) []Extension {
	t.Helper()
	if field == "" {
		return nil
	}
	list, err := ParseExtensions([]string{field})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func params(serverNo, clientNo bool, server, client int) DeflateParams {
	return DeflateParams{serverNo, clientNo, server, client}
}

// RFC 7692 §7.1, and CVE-2026-2229 of undici: window bits that nobody checked.
func TestServerAcceptsDeflate(t *testing.T) {
	for _, tt := range deflateOffers() {
		t.Run(tt.name, func(t *testing.T) {
			e, p, ok := tt.policy.Accept(extensions(t, tt.offer))
			got := ""
			if ok {
				got = string(AppendExtensions(nil, []Extension{e}))
			}
			if got != tt.want || p != tt.params {
				t.Errorf("got %q, %+v\nwant %q, %+v", got, p, tt.want, tt.params)
			}
		})
	}
}

type deflateOfferTest struct {
	name   string
	policy DeflatePolicy
	offer  string
	want   string // "" if declined
	params DeflateParams
}

func deflateOffers() []deflateOfferTest {
	var any DeflatePolicy
	small := DeflatePolicy{ServerMaxWindowBits: 10, ClientMaxWindowBits: 9}
	alone := DeflatePolicy{ServerNoContextTakeover: true, ClientNoContextTakeover: true}
	const pmd = "permessage-deflate"
	return []deflateOfferTest{
		{"what Firefox offers", any, pmd, pmd, params(false, false, 15, 15)},
		{"what Chrome offers", any, pmd + "; client_max_window_bits", pmd, params(false, false, 15, 15)},
		{"nothing", any, "", "", DeflateParams{}},
		{"another extension", any, "x-webkit-deflate-frame", "", DeflateParams{}},
		{"another extension first", any, "mux; a=b, " + pmd, pmd, params(false, false, 15, 15)},
		{"a name in capitals is another name", any, "Permessage-Deflate", "", DeflateParams{}},

		{"no takeover of the server, as asked", any, pmd + "; server_no_context_takeover",
			pmd + "; server_no_context_takeover", params(true, false, 15, 15)},
		{"no takeover of the client, as announced", any, pmd + "; client_no_context_takeover",
			pmd + "; client_no_context_takeover", params(false, true, 15, 15)},
		{"no takeover, as the server wants it", alone, pmd,
			pmd + "; server_no_context_takeover; client_no_context_takeover", params(true, true, 15, 15)},

		{"a smaller window of the server, as asked", any, pmd + "; server_max_window_bits=9",
			pmd + "; server_max_window_bits=9", params(false, false, 9, 15)},
		{"a smaller window of the server, as it wants", small, pmd + "; client_max_window_bits",
			pmd + "; server_max_window_bits=10; client_max_window_bits=9", params(false, false, 10, 9)},
		{"the smaller of two windows, the client's", small, pmd + "; server_max_window_bits=8; client_max_window_bits=8",
			pmd + "; server_max_window_bits=8; client_max_window_bits=8", params(false, false, 8, 8)},
		{"the smaller of two windows, the server's", small, pmd + "; server_max_window_bits=12; client_max_window_bits=12",
			pmd + "; server_max_window_bits=10; client_max_window_bits=9", params(false, false, 10, 9)},
		{"the largest window is named if it was", any, pmd + "; server_max_window_bits=15",
			pmd + "; server_max_window_bits=15", params(false, false, 15, 15)},
		{"quoted values", any, pmd + `; server_max_window_bits="9"; client_max_window_bits="10"`,
			pmd + "; server_max_window_bits=9; client_max_window_bits=10", params(false, false, 9, 10)},
		{"everything at once, in another order", any,
			pmd + "; client_max_window_bits=11; client_no_context_takeover; server_max_window_bits=12; server_no_context_takeover",
			pmd + "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; client_max_window_bits=11",
			params(true, true, 12, 11)},

		{"a client that cannot be limited keeps no context", small, pmd,
			pmd + "; client_no_context_takeover; server_max_window_bits=10", params(false, true, 10, 15)},
		{"an alternative that can be limited is better", small, pmd + ", " + pmd + "; client_max_window_bits",
			pmd + "; server_max_window_bits=10; client_max_window_bits=9", params(false, false, 10, 9)},
		{"the first of two good alternatives", any, pmd + "; server_max_window_bits=10, " + pmd,
			pmd + "; server_max_window_bits=10", params(false, false, 10, 15)},
		{"the first good alternative", any, pmd + "; server_max_window_bits=7, " + pmd + "; new, " + pmd, pmd,
			params(false, false, 15, 15)},
	}
}

// badDeflateParams are parameters that neither an offer nor a response may have.
var badDeflateParams = []string{
	"server_max_window_bits=0", "server_max_window_bits=7", "server_max_window_bits=16",
	"server_max_window_bits=015", "server_max_window_bits=08", "server_max_window_bits=+9",
	"server_max_window_bits=-9", "server_max_window_bits=1e1", "server_max_window_bits=0x9",
	"server_max_window_bits=99999999999999999999", "server_max_window_bits",
	"server_max_window_bits=9; server_max_window_bits=9",
	"client_max_window_bits=0", "client_max_window_bits=7", "client_max_window_bits=16",
	"client_max_window_bits=015", "client_max_window_bits=x",
	"client_max_window_bits=9; client_max_window_bits=10", "client_max_window_bits; client_max_window_bits",
	"server_no_context_takeover=1", "client_no_context_takeover=true", `client_no_context_takeover="x"`,
	"server_no_context_takeover; server_no_context_takeover",
	"client_no_context_takeover; client_no_context_takeover",
	"unknown", "unknown=1", "Server_No_Context_Takeover", "memory_level=9",
}

func TestBadDeflateParametersAreDeclinedAndRefused(t *testing.T) {
	for _, bad := range badDeflateParams {
		t.Run(bad, func(t *testing.T) {
			list := extensions(t, "permessage-deflate; "+bad)
			if e, p, ok := (DeflatePolicy{}).Accept(list); ok {
				t.Errorf("a server accepted it: %v, %+v", e, p)
			}
			p, ok, err := DeflatePolicy{}.Check(list)
			if e := asError(t, err); e.Token != "bad_extensions" || ok || p != (DeflateParams{}) {
				t.Errorf("a client got %v, %v, %v", p, ok, err)
			}
		})
	}
	// No list can hold these: the value must be a token.
	for _, bad := range []string{`server_max_window_bits=`, `server_max_window_bits=""`} {
		if _, err := ParseExtensions([]string{"permessage-deflate; " + bad}); err == nil {
			t.Errorf("%s was parsed", bad)
		}
	}
}

func TestClientChecksDeflate(t *testing.T) {
	var any DeflatePolicy
	small := DeflatePolicy{ServerMaxWindowBits: 10, ClientMaxWindowBits: 9}
	alone := DeflatePolicy{ServerNoContextTakeover: true, ClientNoContextTakeover: true}
	const pmd = "permessage-deflate"
	bad := DeflateParams{}
	tests := []struct {
		name   string
		policy DeflatePolicy
		answer string
		want   DeflateParams // zero if refused
	}{
		{"nothing in particular", any, pmd, params(false, false, 15, 15)},
		{"all that a server may impose", any,
			pmd + "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8; client_max_window_bits=8",
			params(true, true, 8, 8)},
		{"the largest windows by name", any, pmd + "; server_max_window_bits=15; client_max_window_bits=15",
			params(false, false, 15, 15)},
		{"quoted values", any, pmd + `; server_max_window_bits="12"`, params(false, false, 12, 15)},
		{"another extension beside it", any, "mux, " + pmd, params(false, false, 15, 15)},
		{"accepted twice", any, pmd + ", " + pmd, bad},
		{"client_max_window_bits without a value", any, pmd + "; client_max_window_bits", bad},

		{"the condition is kept", small, pmd + "; server_max_window_bits=10", params(false, false, 10, 9)},
		{"the condition is more than kept", small, pmd + "; server_max_window_bits=9; client_max_window_bits=8",
			params(false, false, 9, 8)},
		{"the condition is not mentioned", small, pmd, bad},
		{"the condition is not kept", small, pmd + "; server_max_window_bits=11", bad},
		{"a larger window than the client has", small, pmd + "; server_max_window_bits=10; client_max_window_bits=10", bad},

		{"no takeover, both confirmed", alone, pmd + "; server_no_context_takeover; client_no_context_takeover",
			params(true, true, 15, 15)},
		{"no takeover, the promise needs no answer", alone, pmd + "; server_no_context_takeover",
			params(true, true, 15, 15)},
		{"no takeover, the condition is missing", alone, pmd + "; client_no_context_takeover", bad},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok, err := tt.policy.Check(extensions(t, tt.answer))
			if tt.want == bad {
				if e := asError(t, err); e.Token != "bad_extensions" || ok || got != bad {
					t.Errorf("got %+v, %v, %v; want a refusal", got, ok, err)
				}
				return
			}
			if got != tt.want || !ok || err != nil {
				t.Errorf("got %+v, %v, %v; want %+v", got, ok, err, tt.want)
			}
		})
	}
}

func TestNoAnswerIsNoCompression(t *testing.T) {
	for _, answer := range []string{"", "mux"} {
		if p, ok, err := (DeflatePolicy{}).Check(extensions(t, answer)); ok || err != nil || p != (DeflateParams{}) {
			t.Errorf("answer %q: got %+v, %v, %v", answer, p, ok, err)
		}
	}
}

func TestDeflateOffers(t *testing.T) {
	tests := []struct {
		policy DeflatePolicy
		want   string
	}{
		{DeflatePolicy{}, "permessage-deflate; client_max_window_bits"},
		{DeflatePolicy{ServerMaxWindowBits: 15, ClientMaxWindowBits: 15}, "permessage-deflate; client_max_window_bits"},
		{DeflatePolicy{ServerNoContextTakeover: true, ServerMaxWindowBits: 8},
			"permessage-deflate; server_no_context_takeover; server_max_window_bits=8; client_max_window_bits"},
		{DeflatePolicy{ClientNoContextTakeover: true, ClientMaxWindowBits: 12},
			"permessage-deflate; client_no_context_takeover; client_max_window_bits=12"},
	}
	for _, tt := range tests {
		if got := string(AppendExtensions(nil, tt.policy.Offer())); got != tt.want {
			t.Errorf("%+v offers %q, want %q", tt.policy, got, tt.want)
		}
	}
}

// Any two policies come to terms that both keep, and read them alike.
func TestBothSidesAgreeAboutDeflate(t *testing.T) {
	var policies []DeflatePolicy
	for _, server := range []int{0, 8, 9, 12, 15} {
		for _, client := range []int{0, 8, 11, 15} {
			for no := range 4 {
				policies = append(policies, DeflatePolicy{no&1 != 0, no&2 != 0, server, client})
			}
		}
	}
	for _, client := range policies {
		for _, server := range policies {
			e, here, ok := server.Accept(client.Offer())
			if !ok {
				t.Fatalf("%+v declined %+v", server, client)
			}
			there, ok, err := client.Check([]Extension{e})
			if diff := cmp.Diff(here, there); diff != "" || !ok || err != nil {
				t.Fatalf("%+v and %+v: %v\n%s", server, client, err, diff)
			}
			for _, p := range []DeflatePolicy{client, server} {
				if p.normalize(); here.ServerMaxWindowBits > p.ServerMaxWindowBits ||
					here.ClientMaxWindowBits > p.ClientMaxWindowBits ||
					p.ServerNoContextTakeover && !here.ServerNoContextTakeover ||
					p.ClientNoContextTakeover && !here.ClientNoContextTakeover {
					t.Fatalf("%+v is not what %+v allows", here, p)
				}
			}
		}
	}
}

func TestDeflatePolicyIsValidated(t *testing.T) {
	for bits, ok := range map[int]bool{-1: false, 0: true, 7: false, 8: true, 15: true, 16: false} {
		for _, p := range []DeflatePolicy{{ServerMaxWindowBits: bits}, {ClientMaxWindowBits: bits}} {
			err := p.Validate()
			if (err == nil) != ok {
				t.Errorf("%+v: error %v, want ok = %v", p, err, ok)
			}
			if err != nil && asError(t, err).Token != "bad_options" {
				t.Errorf("%+v: %v", p, err)
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an offer of 7 window bits did not panic")
		}
	}()
	DeflatePolicy{ServerMaxWindowBits: 7}.Offer()
}

func BenchmarkDeflateAccept(b *testing.B) {
	offers := DeflatePolicy{}.Offer()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := (DeflatePolicy{ServerMaxWindowBits: 12}).Accept(offers); !ok {
			b.Fatal("declined")
		}
	}
}
