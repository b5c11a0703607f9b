package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPageHasWhatItLoads(t *testing.T) {
	z, _, links := newTestCompression(t, true)
	s := &echoes{links: links, mux: http.NewServeMux()}
	if err := z.servePage(s); err != nil {
		t.Fatal(err)
	}
	for path, typ := range map[string]string{
		"/": "text/html", "/" + sharedScript: "text/javascript", "/plan.json": "application/json", "/letters": "", "/noise": "",
	} {
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK || w.Body.Len() == 0 || !strings.HasPrefix(w.Header().Get("Content-Type"), typ) {
			t.Errorf("%s: status %d, %d bytes of %s", path, w.Code, w.Body.Len(), w.Header().Get("Content-Type"))
		}
	}
}

func TestPageShowsOutcomesOrWhyNot(t *testing.T) {
	for _, test := range []struct{ state, want string }{
		{"done", ""},
		{"failed: no plan", "the page failed: no plan"},
	} {
		f := &fakeDriver{texts: map[string]string{"#state": "running", "#outcomes": `{"connection":3,"messages":2}` + "\n"}}
		f.onClick = func(_ string, texts map[string]string) { texts["#state"] = test.state }
		all, err := pageOutcomes(t.Context(), f.session(t), "https://localhost/")
		if test.want != "" {
			if err == nil || err.Error() != test.want {
				t.Errorf("got %v, want %q", err, test.want)
			}
			continue
		}
		if err != nil || all[3] == nil || all[3].Messages != 2 {
			t.Errorf("got %v, %v", all, err)
		}
	}
}
