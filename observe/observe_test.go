package observe_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/conn"
	"github.com/seed-c4549abd/wss/observe"
	"github.com/seed-c4549abd/wss/observe/internal/observetest"
)

// noting is an observer that notes its calls.
type noting struct {
	name  string
	notes *[]string
	end   bool
}

func (n noting) note(what string)                             { *n.notes = append(*n.notes, n.name+" "+what) }
func (n noting) Opened(c *conn.Conn)                          { n.note("opened"); n.finish(c) }
func (n noting) Refused(*http.Request, *conn.HandshakeError)  { n.note("refused") }
func (n noting) MessageIn(*conn.Conn, conn.MessageType, int)  { n.note("in") }
func (n noting) MessageOut(*conn.Conn, conn.MessageType, int) { n.note("out") }
func (n noting) Closed(_ *conn.Conn, why *conn.CloseError)    { n.note("closed") }
func (n noting) finish(c *conn.Conn) {
	if n.end {
		_ = c.CloseNow()
	}
}

type notingRoundTrips struct{ noting }

func (n notingRoundTrips) RoundTrip(*conn.Conn, time.Duration) { n.note("round trip") }

func TestAllForwardsEveryEvent(t *testing.T) {
	var notes []string
	a, b, c := noting{"a", &notes, false}, notingRoundTrips{noting{"b", &notes, false}}, noting{"c", &notes, false}
	all := observe.All(nil, observe.All(a, b), nil, c)
	all.Opened(nil)
	all.Refused(nil, nil)
	all.MessageIn(nil, conn.Text, 1)
	all.MessageOut(nil, conn.Text, 1)
	all.Closed(nil, nil)
	all.(conn.RoundTripObserver).RoundTrip(nil, 1)
	want := []string{}
	for _, event := range []string{"opened", "refused", "in", "out", "closed"} {
		want = append(want, "a "+event, "b "+event, "c "+event)
	}
	if diff := cmp.Diff(append(want, "b round trip"), notes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// deaf is a MessageIgnorer that ignores messages.
type deaf struct{ noting }

func (deaf) IgnoresMessages() bool { return true }

// TestAllAsksWhoIgnoresMessages: if one does not ignore them, the others are still not called for them.
func TestAllAsksWhoIgnoresMessages(t *testing.T) {
	var notes []string
	a, b := deaf{noting{name: "a", notes: &notes}}, deaf{noting{name: "b", notes: &notes}}
	wants := noting{name: "c", notes: &notes}
	if i, ok := observe.All(a, b).(conn.MessageIgnorer); !ok || !i.IgnoresMessages() {
		t.Error("none of them wants messages")
	}
	all := observe.All(a, wants, b)
	if all.(conn.MessageIgnorer).IgnoresMessages() {
		t.Error("one of them wants messages")
	}
	all.MessageIn(nil, conn.Text, 1)
	all.MessageOut(nil, conn.Text, 1)
	if !slices.Equal(notes, []string{"c in", "c out"}) {
		t.Errorf("%q", notes)
	}
}

func TestAllOfFewIsNoMoreThanThose(t *testing.T) {
	var notes []string
	a, b := noting{name: "a", notes: &notes}, noting{name: "b", notes: &notes}
	if all := observe.All(); all != nil {
		t.Errorf("of none: %v", all)
	}
	if all := observe.All(nil, nil); all != nil {
		t.Errorf("of nil: %v", all)
	}
	if all := observe.All(nil, a); all != conn.Observer(a) {
		t.Errorf("of one: %v", all)
	}
	if _, ok := observe.All(a, b).(conn.RoundTripObserver); ok {
		t.Error("none wants round trips, and a goroutine would be started for each")
	}
}

// TestAllOrdersAnEndInOpened: for observers after the one that ends the connection, Closed is called first, as documented.
func TestAllOrdersAnEndInOpened(t *testing.T) {
	var notes []string
	client := observe.All(noting{"a", &notes, true}, noting{"b", &notes, false})
	url, dial := observetest.Echo(t, nil)
	dial.Observer = client
	if _, _, err := conn.Dial(t.Context(), url, dial); err == nil {
		t.Fatal("the connection is open")
	}
	want := []string{"a opened", "a closed", "b closed", "b opened"}
	if !slices.Equal(notes, want) {
		t.Errorf("got %q, want %q", notes, want)
	}
}

func TestARequestIsKeptWithoutItsSecrets(t *testing.T) {
	long := strings.Repeat("x", 5000)
	mux := http.NewServeMux()
	var got []observe.Request
	mux.HandleFunc("GET /chat/{room}", func(_ http.ResponseWriter, r *http.Request) {
		kept, ok := observe.RequestOf(observe.ConnContext(r))
		if !ok {
			t.Error("no request")
		}
		got = append(got, kept)
	})
	for _, path := range []string{"/chat/a%20b?token=secret#fragment", "/chat/" + long} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Authorization", "secret")
		r.SetBasicAuth("user", "secret")
		mux.ServeHTTP(httptest.NewRecorder(), r)
	}
	want := []observe.Request{
		{Host: "example.com", Path: "/chat/a b", Pattern: "GET /chat/{room}"},
		{Host: "example.com", Path: ("/chat/" + long)[:256], Pattern: "GET /chat/{room}"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type userKey struct{}

// TestConnContextHasTheRequestsValues, but does not end with it. A request that Upgrade could not parse has no URL.
func TestConnContextHasTheRequestsValues(t *testing.T) {
	parent, cancel := context.WithCancel(context.WithValue(context.Background(), userKey{}, "ada"))
	ctx := observe.ConnContext((&http.Request{}).WithContext(parent))
	cancel()
	if ctx.Err() != nil || ctx.Value(userKey{}) != "ada" {
		t.Errorf("error %v, user %v", ctx.Err(), ctx.Value(userKey{}))
	}
	if r, ok := observe.RequestOf(ctx); !ok || r != (observe.Request{}) {
		t.Errorf("got %+v, %v", r, ok)
	}
	if _, ok := observe.RequestOf(context.Background()); ok {
		t.Error("a request out of nothing")
	}
}
