package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// good is a history without faults: two clients, of which the second one was away while 30 came.
func good() history {
	yes := true
	h := history{}
	for i, offset := range []uint64{10, 20, 30, 40} {
		at := int64(i) * 100
		h.Publishes = append(h.Publishes, publish{
			Client: i % 2, Topic: "a", Data: fmt.Sprint("m", offset), Call: at, Return: at + 50, Outcome: acknowledged, Offset: offset, Epoch: "E",
		})
	}
	message := func(offset uint64) entry { return entry{Epoch: "E", Offset: offset, Data: fmt.Sprint("m", offset)} }
	h.Logs = []topicLog{
		{0, "a", []entry{{Begins: true, Epoch: "E"}, message(10), message(20), message(30), message(40)}},
		{1, "a", []entry{{Begins: true, Epoch: "E", Offset: 10}, message(20), {Begins: true, Recovered: &yes, Epoch: "E", Offset: 29}, message(30), message(40)}},
	}
	return h
}

// exchange has m20 and m30 stored, and received by all, the other way round.
func exchange(h *history) {
	h.Publishes[1].Offset, h.Publishes[2].Offset = 30, 20
	for _, l := range h.Logs {
		for i := range l.Entries {
			switch e := &l.Entries[i]; e.Data {
			case "m20":
				e.Data = "m30"
			case "m30":
				e.Data = "m20"
			}
		}
	}
}

// TestForgedHistories: each has one thing in it that must not be, and check names it.
func TestForgedHistories(t *testing.T) {
	no := false
	forged := map[string]struct {
		change func(h *history)
		want   string // empty: there is no fault
	}{
		"nothing is wrong": {func(*history) {}, ""},
		"a message is lost in the middle": {func(h *history) {
			h.Logs[0].Entries = slices.Delete(h.Logs[0].Entries, 2, 3)
		}, "20 is missing before 30"},
		"the last message never came": {func(h *history) {
			h.Logs[1].Entries = h.Logs[1].Entries[:4]
		}, "40 never came"},
		"an acknowledged message came to nobody": {func(h *history) {
			h.Publishes = append(h.Publishes, publish{Topic: "a", Data: "m50", Call: 900, Return: 950, Outcome: acknowledged, Offset: 50, Epoch: "E"})
		}, "50 never came"},
		"what was missed is lost": {func(h *history) {
			h.Logs[1].Entries = slices.Delete(h.Logs[1].Entries, 3, 4)
		}, "30 is missing before 40"},
		"a message comes twice": {func(h *history) {
			h.Logs[0].Entries = slices.Insert(h.Logs[0].Entries, 2, h.Logs[0].Entries[1])
		}, `"m10" comes twice`},
		"a message comes again after a return": {func(h *history) {
			h.Logs[1].Entries = slices.Insert(h.Logs[1].Entries, 3, h.Logs[1].Entries[1])
		}, `"m20" comes twice`},
		"a message is stored twice": {func(h *history) {
			for i := range h.Logs {
				h.Logs[i].Entries = append(h.Logs[i].Entries, entry{Epoch: "E", Offset: 50, Data: "m40"})
			}
		}, `"m40" comes twice`},
		"two are exchanged, for one client": {func(h *history) {
			e := h.Logs[0].Entries
			e[2], e[3] = e[3], e[2]
		}, "20 (m20) comes behind 30"},
		"two are exchanged, for all": {func(h *history) {
			exchange(h)
		}, "another order than they were published"},
		"two publishes at once may be in either order": {func(h *history) {
			exchange(h)
			h.Publishes[1].Return = 250
		}, ""},
		"one without an answer may be stored late": {func(h *history) {
			h.Publishes[0].Data, h.Publishes[3].Data = "m40", "m10"
			h.Publishes[0].Outcome, h.Publishes[0].Return = unknown, 0
			h.Publishes[3].Offset = 10
			h.Publishes[0].Call, h.Publishes[3].Call, h.Publishes[3].Return = 0, 1, 2
		}, ""},
		"one without an answer is not stored before its call": {func(h *history) {
			h.Publishes[0].Outcome, h.Publishes[0].Call, h.Publishes[0].Return = unknown, 500, 0
		}, "another order than they were published"},
		"one without an answer may be nowhere": {func(h *history) {
			h.Publishes = append(h.Publishes, publish{Topic: "a", Data: "m99", Call: 900, Outcome: unknown})
		}, ""},
		"a refused one came": {func(h *history) {
			h.Publishes[3].Outcome, h.Publishes[3].Offset = refused, 0
		}, `"m40" was refused`},
		"clients see different messages at a place": {func(h *history) {
			h.Logs[1].Entries[1].Data = "m21"
		}, `"m21", for others "m20"`},
		"an acknowledgement names another place": {func(h *history) {
			h.Publishes[2].Offset = 31
		}, `"m30" comes twice`},
		"nobody has published it": {func(h *history) {
			h.Publishes = h.Publishes[:3]
		}, `nobody has published "m40"`},
		"it goes on too far": {func(h *history) {
			h.Logs[1].Entries[2].Offset = 30
			h.Logs[1].Entries = slices.Delete(h.Logs[1].Entries, 3, 4)
		}, "it goes on at E/30, and the client has E/20"},
		"it was told that messages are gone": {func(h *history) {
			h.Logs[1].Entries[2].Recovered, h.Logs[1].Entries[2].Offset = &no, 30
			h.Logs[1].Entries = slices.Delete(h.Logs[1].Entries, 3, 4)
		}, ""},
		"another epoch without a beginning": {func(h *history) {
			h.Logs[0].Entries[4].Epoch = "F"
			h.Publishes[3].Epoch = "F"
			h.Logs[1].Entries[4].Epoch = "F"
		}, "a message of the epoch F, not E"},
		"one is acknowledged in an epoch that nobody has seen": {func(h *history) {
			h.Publishes = append(h.Publishes, publish{Topic: "a", Data: "m50", Call: 900, Return: 950, Outcome: acknowledged, Offset: 50, Epoch: "F"})
		}, `"m50" was acknowledged at F/50 of a, and has come to nobody`},
		"one is acknowledged in a topic without a log": {func(h *history) {
			h.Publishes = append(h.Publishes, publish{Topic: "b", Data: "m50", Call: 900, Return: 950, Outcome: acknowledged, Offset: 50, Epoch: "E"})
		}, `"m50" was acknowledged at E/50 of b, and has come to nobody`},
		"one is acknowledged nowhere": {func(h *history) {
			h.Publishes = append(h.Publishes, publish{Topic: "a", Data: "m50", Call: 900, Return: 950, Outcome: acknowledged})
		}, "has come to nobody"},
		"a log is empty":        {func(h *history) { h.Logs[1].Entries = nil }, "it has seen no beginning"},
		"there are no logs":     {func(h *history) { h.Logs = nil }, "that shows nothing"},
		"there is nothing":      {func(h *history) { *h = history{} }, "that shows nothing"},
		"an outcome is no such": {func(h *history) { h.Publishes[2].Outcome = "acknowleged" }, `the outcome "acknowleged"`},
		"it begins again without an answer, and leaves one out": {func(h *history) {
			h.Logs[1].Entries[2].Recovered, h.Logs[1].Entries[2].Offset = nil, 30
			h.Logs[1].Entries = slices.Delete(h.Logs[1].Entries, 3, 4)
		}, "it begins again without an answer"},
		"it is told that messages are gone, and gets some twice": {func(h *history) {
			h.Logs[1].Entries[2].Recovered, h.Logs[1].Entries[2].Offset = &no, 15
			h.Logs[1].Entries = slices.Insert(h.Logs[1].Entries, 3, h.Logs[1].Entries[1])
		}, "before the last one, 20"},
		"it begins beyond everything": {func(h *history) {
			h.Logs[1].Entries = []entry{{Begins: true, Epoch: "E", Offset: 4000000}}
		}, "beyond everything"},
		"it begins in an unknown epoch": {func(h *history) {
			h.Logs[1].Entries = []entry{{Begins: true, Epoch: "F", Offset: 1}}
		}, "beyond everything"},
		"two topics have the same offset": {func(h *history) {
			h.Publishes = append(h.Publishes, publish{Topic: "b", Data: "b20", Call: 150, Return: 160, Outcome: acknowledged, Offset: 20, Epoch: "E"})
			h.Logs = append(h.Logs, topicLog{1, "b", []entry{{Begins: true, Epoch: "E"}, {Epoch: "E", Offset: 20, Data: "b20"}}})
		}, "E/20 is in"},
		"it comes before the subscription": {func(h *history) {
			h.Logs[0].Entries = h.Logs[0].Entries[1:]
		}, "comes before the subscription"},
	}
	for name, f := range forged {
		t.Run(name, func(t *testing.T) {
			h := good()
			f.change(&h)
			v := check(h)
			switch {
			case f.want == "" && len(v.Faults) > 0:
				t.Errorf("%s", strings.Join(v.Faults, "\n"))
			case f.want != "" && !slices.ContainsFunc(v.Faults, func(s string) bool { return strings.Contains(s, f.want) }):
				t.Errorf("want %s, found %q", f.want, v.Faults)
			}
		})
	}
}
