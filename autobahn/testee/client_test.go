package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/seed-c4549abd/wss/conn"
)

// fuzzer is a fuzzing server with three cases, which records what it is asked.
type fuzzer struct {
	mu    sync.Mutex
	asked []string
}

func (f *fuzzer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.URL.Path+"?"+r.URL.RawQuery)
	f.mu.Unlock()
	c, err := conn.Accept(w, r, nil)
	if err != nil {
		return
	}
	ctx := c.Context()
	switch {
	case r.URL.Path == "/getCaseCount":
		_ = c.Write(ctx, conn.Text, []byte("3"))
	case r.FormValue("case") == "2": // one that ends badly
		_ = c.CloseNow()
	case r.URL.Path == "/runCase":
		_ = c.Write(ctx, conn.Text, []byte("echo me"))
		if _, p, err := c.Read(ctx); string(p) != "echo me" || err != nil {
			f.mu.Lock()
			f.asked = append(f.asked, fmt.Sprintf("%q, %v", p, err))
			f.mu.Unlock()
		}
	}
	_ = c.Close(conn.StatusNormalClosure, "")
}

func TestTheClientRunsEveryCaseAndAsksForTheReport(t *testing.T) {
	for _, secure := range []bool{false, true} {
		f := &fuzzer{}
		srv := httptest.NewUnstartedServer(f)
		srv.Listener = conn.NewListener(srv.Listener)
		if secure {
			srv.StartTLS()
		} else {
			srv.Start()
		}
		var out bytes.Buffer
		url := "ws" + strings.TrimPrefix(srv.URL, "http")
		if err := run(t.Context(), []string{"client", "-url", url, "-agent", "me", "-insecure"}, &out); err != nil {
			t.Error(err)
		}
		srv.Close()
		want := "/getCaseCount?agent=me /runCase?agent=me&case=1 /runCase?agent=me&case=2 /runCase?agent=me&case=3 /updateReports?agent=me"
		if got := strings.Join(f.asked, " "); got != want || out.String() != "ran 3 cases\n" {
			t.Errorf("asked %s\nprinted %s", got, &out)
		}
	}
}

func TestTheClientReportsAServerThatIsNotThere(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	err := run(t.Context(), []string{"client", "-url", "ws" + strings.TrimPrefix(srv.URL, "http")}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
}
