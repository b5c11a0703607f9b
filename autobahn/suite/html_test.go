package suite

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-c4549abd/wss/autobahn/report"
	"github.com/seed-c4549abd/wss/frame"
)

var updateFiles = flag.Bool("update", false, "write the files in testdata")

// hostile is what a peer may send to whoever reads reports: markup, an end of the script or the style, control characters,
// octets that are no UTF-8, and a turn of the direction of writing.
const hostile = "</td></style><script>alert(1)</script>\"'&\x00\x1b[2J\xff\u202e]]>"

// sampleReport returns reports of two agents, made by hand: of what passes, what fails, and what is missing.
func sampleReport() []*Report {
	cases := map[string]*Case{}
	for _, c := range Cases() {
		cases[c.ID] = &c
	}
	selected := []string{"1.1.1", "6.4.1", "7.1.6", "9.1.1", "12.1.1"}
	result := func(agent, id string, b, closing report.Behavior) *Result {
		c := cases[id]
		r := newResult(c, 1, agent)
		r.Started, r.Duration = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), 1234567*time.Microsecond
		r.Behavior, r.BehaviorClose, r.Result, r.ResultClose = b, closing, "The messages, judged.", "The closing, judged."
		r.ClosedByMe, r.WasClean = true, true
		normal := 1000
		r.LocalCloseCode, r.RemoteCloseCode = &normal, &normal
		r.HTTPRequest, r.HTTPResponse = "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"
		r.log.sentFrame(&frame.Header{Fin: true, Opcode: frame.Text, Length: 2}, &Frame{Opcode: frame.Text, Payload: "ab"})
		r.log.sent([]byte("\x81\x02ab"), false)
		return r
	}
	bad := result("<b>Bad\x00", "6.4.1", report.Failed, report.WrongCode)
	why, reason, policy := hostile, hostile, 1008
	bad.Server, bad.WasClean, bad.WasNotCleanReason, bad.RemoteCloseCode, bad.RemoteCloseReason = true, false, &why, &policy, &reason
	bad.HTTPRequest = "GET /" + hostile + " HTTP/1.1\r\nHost: x\r\n\r\n"
	const markup = "<script>alert(2)</script><b>"
	bad.Received = []Event{timeout("A"), message(markup), message(hostile), blob(hostile), pong(hostile)}
	h := frame.Header{Fin: true, RSV: frame.RSV1, Opcode: frame.Text, Length: int64(len(hostile)), Masked: true, Key: [4]byte{1, 2, 3, 4}}
	bad.log.receivedFrame(&h, []byte(hostile))
	bad.log.receivedFrame(&h, []byte(markup))
	h.Opcode = frame.Close
	bad.log.receivedFrame(&h, []byte("\x03\xf0"+hostile))
	bad.log.received([]byte(hostile))
	bad.log.wait("CT", 1.0, "A")
	bad.log.wait("CTE", "A")
	bad.log.wait("KL", 1.0)
	bad.log.wait("KLE")
	bad.log.wait("TI", 0.5)
	bad.log.wait("TIE")
	bad.log.enable(false)
	bad.log.enable(true)
	good := []*Result{
		result("Good 1.0", "1.1.1", report.OK, report.OK), result("Good 1.0", "6.4.1", report.NonStrict, report.OK),
		result("Good 1.0", "7.1.6", report.Informational, report.Informational), result("Good 1.0", "9.1.1", report.OK, report.OK),
	}
	return []*Report{
		{Agent: "<b>Bad\x00", Cases: selected, Results: []*Result{bad}},
		{Agent: "Good 1.0", Cases: selected[:4], Results: good},
	}
}

// held compares what was written with a file in testdata.
func held(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateFiles {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s (-want +got), write it anew with -update:\n%s", path, diff)
	}
}

func TestPagesAreAsInTestdata(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := WriteHTML(dir, sampleReport()...); err != nil {
		t.Fatal(err)
	}
	style := regexp.MustCompile(`(?s)<style>.*?</style>`)
	for _, name := range []string{"index.html", "b_bad_case_6_4_1.html", "good_1_0_case_6_4_1.html"} {
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		held(t, name, style.ReplaceAllString(string(page), "<style>…</style>"))
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 6 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

// TestPagesHoldNothingOfAPeerUnescaped looks for what only a peer has sent, and for what would be loaded from elsewhere.
func TestPagesHoldNothingOfAPeerUnescaped(t *testing.T) {
	dir := t.TempDir()
	if err := WriteHTML(dir, sampleReport()...); err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.html"))
	for _, path := range paths {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<script", "<b>", "\x00", "\x1b", "\xff", "\u202e", "http://", "https://", "src=", "@import", "url("} {
			if strings.Contains(string(page), bad) {
				t.Errorf("%s holds %q", path, bad)
			}
		}
		if strings.Count(string(page), "</style>") != 1 {
			t.Errorf("%s: the style ends more than once", path)
		}
	}
}

func TestReportsThatCannotBeWrittenAreErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if WriteHTML(filepath.Join(file, "in it"), sampleReport()...) == nil || WriteJSON(filepath.Join(file, "in it"), sampleReport()...) == nil {
		t.Error("written into a file")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "index.html"), 0o700); err != nil {
		t.Fatal(err)
	}
	if WriteHTML(dir, sampleReport()...) == nil {
		t.Error("written over a directory")
	}
}
