package report

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The recorded reports are the suite's own, of a testee with faults, with the wire logs cut out.
var (
	shard1 = filepath.Join("testdata", "recorded", "shard-1")
	shard2 = filepath.Join("testdata", "recorded", "shard-2")
)

func recorded(t *testing.T) *Report {
	t.Helper()
	r, err := Read("", shard1, shard2)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReadJoinsShards(t *testing.T) {
	r := recorded(t)
	if r.Agent != "wss testee/1.0" {
		t.Errorf("agent %q", r.Agent)
	}
	file := func(shard, id string) string { return filepath.Join(shard, "wss_testee_1_0_case_"+id+".json") }
	want := map[string]Case{
		"1.1.1": {ID: "1.1.1", Behavior: OK, BehaviorClose: OK, CloseCode: 1000, File: file(shard1, "1_1_1")},
		"6.4.1": {
			ID: "6.4.1", Behavior: NonStrict, BehaviorClose: OK, CloseCode: 1007, File: file(shard1, "6_4_1"),
			Description: "Send invalid UTF-8 text message in 3 fragments (frames). First frame payload is valid, then wait, " +
				"then 2nd frame which contains the payload making the sequence invalid, then wait, then 3rd frame with rest. " +
				"Note that PART1 and PART3 are valid UTF-8 in themselves, PART2 is a 0x110000 encoded as in the UTF-8 integer " +
				"encoding scheme, but the codepoint is invalid (out of range).",
			Result: "Actual events match at least one expected.", ResultClose: "Connection was properly closed",
		},
		"12.1.1": {
			ID: "12.1.1", Behavior: Unimplemented, BehaviorClose: OK, CloseCode: 1000, File: file(shard1, "12_1_1"),
			Description: "Send 1000 compressed messages each of payload size 16, auto-fragment to 0 octets. " +
				"Use default permessage-deflate offer.",
			Result: "Actual events differ from any expected.", ResultClose: "Connection was properly closed",
		},
		"6.3.1": {
			ID: "6.3.1", Behavior: OK, BehaviorClose: WrongCode, CloseCode: 1003, File: file(shard2, "6_3_1"),
			Description: "Send invalid UTF-8 text message unfragmented.",
			Result:      "Actual events match at least one expected.",
			ResultClose: "The close code should have been 1007 or empty",
		},
		"7.1.6": {
			ID: "7.1.6", Behavior: Informational, BehaviorClose: Informational, CloseCode: 1000, File: file(shard2, "7_1_6"),
		},
	}
	for id, want := range want {
		got := r.Cases[id]
		if got.Duration%time.Millisecond != 0 || got.Duration <= 0 || got.Duration > time.Minute {
			t.Errorf("%s took %v", id, got.Duration)
		}
		got.Duration = 0
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("case %s (-want +got):\n%s", id, diff)
		}
	}
	if len(r.Cases) != 8 {
		t.Errorf("%d cases", len(r.Cases))
	}
}

func TestReadErrors(t *testing.T) {
	tests := []struct {
		name, agent string
		dirs        []string
		want        string
		cases       int
	}{
		{"a missing directory beside a good one", "", []string{shard1, "testdata/missing"}, "missing", 4},
		{"half an index", "", []string{"testdata/broken", shard1}, "unexpected end of JSON", 4},
		{"another agent", "gorilla", []string{shard1}, `["wss testee/1.0"]`, 0},
		{"two agents, none chosen", "", []string{"testdata/two-agents"}, `["a" "b"]`, 0},
		{"one shard twice", "", []string{shard1, shard1}, "holds too", 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Read(tt.agent, tt.dirs...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
			if len(r.Cases) != tt.cases {
				t.Errorf("%d cases, want %d", len(r.Cases), tt.cases)
			}
		})
	}
	if r, err := Read("b", "testdata/two-agents"); err != nil || r.Agent != "b" {
		t.Errorf("one of two agents: %v, %v", r, err)
	}
}

func TestPasses(t *testing.T) {
	tests := []struct {
		id              string
		behavior, close Behavior
		want            bool
	}{
		{"1.1.1", OK, OK, true},
		{"1.1.1", OK, Informational, false},
		{"1.1.1", Informational, OK, false},
		{"7.1.6", Informational, Informational, true},
		{"7.13.1", Informational, Informational, true},
		{"7.13.2", Informational, OK, true},
		{"7.13.1", Informational, Failed, false},
		{"7.13.2", Failed, Informational, false},
		{"6.4.1", NonStrict, OK, false},
		{"6.3.1", OK, WrongCode, false},
		{"6.3.1", OK, Unclean, false},
		{"6.3.1", OK, FailedByClient, false},
		{"12.1.1", Unimplemented, OK, false},
		{"1.1.1", "", "", false},
		{"1.1.1", "ok", "OK", false},
	}
	for _, tt := range tests {
		c := Case{ID: tt.id, Behavior: tt.behavior, BehaviorClose: tt.close}
		if got := c.Passes(); got != tt.want {
			t.Errorf("%s %s/%s: %v", tt.id, tt.behavior, tt.close, got)
		}
	}
}

// The name of the file comes from the report, so it must not lead elsewhere.
func TestReportFileStaysInItsDirectory(t *testing.T) {
	c := indexCase{Behavior: OK, BehaviorClose: OK, ReportFile: "../../etc/passwd"}
	if got, want := c.outcome("1.1.1", "dir").File, filepath.Join("dir", "passwd"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
