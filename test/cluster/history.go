package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"
)

// history is what the clients of a run have seen.
type history struct {
	Publishes []publish
	Logs      []topicLog
}

// publish is one request, and what became of it. Times are in nanoseconds since the beginning of the run.
type publish struct {
	Client  int
	Topic   string
	Data    string // no two requests have the same
	Call    int64
	Return  int64 // 0: there was no answer
	Outcome outcome
	Offset  uint64 // if it was acknowledged
	Epoch   string
}

type outcome string

const (
	acknowledged outcome = "acknowledged"
	refused      outcome = "refused" // for certain
	unknown      outcome = "unknown" // no answer, or one that says so
)

// topicLog is what one client was sent of one topic, in order.
type topicLog struct {
	Client  int
	Topic   string
	Entries []entry
}

// entry is a message, or the beginning of a subscription.
type entry struct {
	Begins    bool
	Recovered *bool // of a beginning: nil if nothing was asked for
	Epoch     string
	Offset    uint64
	Data      string
}

// place is one of a message.
type place struct {
	Topic, Epoch string
	Offset       uint64
}

// verdict is what check has found.
type verdict struct {
	Faults       []string // empty: the history is as it has to be
	Messages     int      // different ones that were delivered
	Acknowledged int
	Unknown      int
	Refused      int
	Resumed      int // beginnings that went on where the client was
	NotRecovered int // beginnings that told the client that messages are gone
}

// check says whether a history is one that topics may have, when every client was given the time to get everything:
//
//   - a place has one message, and a message has one place; no two topics of an epoch have the same offset;
//   - a client gets the messages of a topic in the order of their offsets, each once;
//   - from the beginning of a subscription on it gets all, across connections that went on where it was;
//   - what was acknowledged is where the acknowledgement says, has come to somebody, and what was refused is nowhere;
//   - every client has seen the beginning of each of its topics, which is not beyond what there is, and after it none
//     without an answer to where it was;
//   - a message that was published when another one had been acknowledged is behind it.
func check(h history) (v verdict) {
	fault := func(format string, args ...any) {
		if len(v.Faults) < 50 {
			v.Faults = append(v.Faults, fmt.Sprintf(format, args...))
		}
	}
	at := map[place]string{}         // what is where
	where := map[[2]string][]place{} // by topic and data
	note := func(who string, p place, data string) {
		if other, known := at[p]; known && other != data {
			fault("%s: %v is %q, for others %q", who, p, data, other)
			return
		} else if known {
			return
		}
		at[p] = data
		key := [2]string{p.Topic, data}
		where[key] = append(where[key], p)
	}
	for _, l := range h.Logs {
		for _, e := range l.Entries {
			if !e.Begins {
				note(fmt.Sprintf("client %d", l.Client), place{l.Topic, e.Epoch, e.Offset}, e.Data)
			}
		}
	}
	v.Messages = len(at)
	for _, p := range h.Publishes {
		switch p.Outcome {
		case acknowledged:
			v.Acknowledged++
			note(fmt.Sprintf("the acknowledgement of client %d", p.Client), place{p.Topic, p.Epoch, p.Offset}, p.Data)
		case unknown:
			v.Unknown++
		case refused:
			if places := where[[2]string{p.Topic, p.Data}]; len(places) > 0 {
				fault("client %d: %q was refused, and is at %v", p.Client, p.Data, places)
			}
			v.Refused++
		default:
			fault("client %d: %q has the outcome %q", p.Client, p.Data, p.Outcome)
		}
	}
	if len(h.Logs) == 0 || v.Acknowledged == 0 || v.Messages == 0 {
		fault("nothing was acknowledged, or nobody has seen anything: that shows nothing")
	}
	delivered := map[place]bool{}
	offsets := map[place]string{} // the topic of an epoch's offset
	for p := range at {
		n := place{"", p.Epoch, p.Offset}
		if other, known := offsets[n]; known && other != p.Topic {
			fault("%s/%d is in %s and in %s", p.Epoch, p.Offset, p.Topic, other)
		}
		offsets[n] = p.Topic
	}
	for _, l := range h.Logs {
		for _, e := range l.Entries {
			if !e.Begins {
				delivered[place{l.Topic, e.Epoch, e.Offset}] = true
			}
		}
	}
	for _, p := range h.Publishes {
		if p.Outcome == acknowledged && !delivered[place{p.Topic, p.Epoch, p.Offset}] {
			fault("client %d: %q was acknowledged at %s/%d of %s, and has come to nobody", p.Client, p.Data, p.Epoch, p.Offset, p.Topic)
		}
	}
	published := map[[2]string]bool{}
	for _, p := range h.Publishes {
		published[[2]string{p.Topic, p.Data}] = true
	}
	for key, places := range where {
		if len(places) > 1 {
			fault("%q comes twice: %v", key[1], places)
		}
		if !published[key] {
			fault("nobody has published %q in %s", key[1], key[0])
		}
	}
	order := map[string]map[string][]uint64{} // the offsets of a topic's epochs
	for p := range at {
		if order[p.Topic] == nil {
			order[p.Topic] = map[string][]uint64{}
		}
		order[p.Topic][p.Epoch] = append(order[p.Topic][p.Epoch], p.Offset)
	}
	for _, epochs := range order {
		for _, offsets := range epochs {
			slices.Sort(offsets)
		}
	}
	for _, l := range h.Logs {
		checkLog(l, order[l.Topic], &v, fault)
	}
	for topic, epochs := range order {
		for _, epoch := range slices.Sorted(maps.Keys(epochs)) {
			if !linearizable(h.Publishes, topic, epoch, where) {
				fault("%s: messages are in another order than they were published", topic)
			}
		}
	}
	return v
}

// checkLog checks what one client was sent of one topic, of which there are messages at these offsets.
func checkLog(l topicLog, epochs map[string][]uint64, v *verdict, fault func(string, ...any)) {
	var epoch string
	var last uint64
	begun := false
	seen := map[string]bool{}      // data
	highest := map[string]uint64{} // by epoch
	for epoch, offsets := range epochs {
		highest[epoch] = offsets[len(offsets)-1]
	}
	behind := func() (uint64, bool) { // the next message
		offsets := epochs[epoch]
		i, _ := slices.BinarySearch(offsets, last+1)
		if i == len(offsets) {
			return 0, false
		}
		return offsets[i], true
	}
	for _, e := range l.Entries {
		who := fmt.Sprintf("client %d, %s", l.Client, l.Topic)
		switch {
		case e.Begins && e.Offset > highest[e.Epoch]:
			fault("%s: it begins at %s/%d, which is beyond everything", who, e.Epoch, e.Offset)
		case e.Begins && begun && e.Recovered == nil:
			fault("%s: it begins again without an answer to where it was", who)
		case e.Begins && begun && e.Epoch == epoch && e.Offset < last && !(*e.Recovered):
			fault("%s: it begins again at %d, before the last one, %d", who, e.Offset, last)
		case !e.Begins && seen[e.Data]:
			fault("%s: %q comes twice", who, e.Data)
		case e.Begins && e.Recovered != nil && *e.Recovered:
			v.Resumed++
			if begun && (e.Epoch != epoch || e.Offset > last) {
				// An offset between two messages leaves nothing out.
				if next, there := behind(); e.Epoch != epoch || there && next <= e.Offset {
					fault("%s: it goes on at %s/%d, and the client has %s/%d", who, e.Epoch, e.Offset, epoch, last)
				}
			}
			if !begun {
				epoch, last = e.Epoch, e.Offset
			}
			begun = true
		case e.Begins:
			if e.Recovered != nil {
				v.NotRecovered++
			}
			epoch, last, begun = e.Epoch, e.Offset, true
		case !begun:
			fault("%s: %d comes before the subscription", who, e.Offset)
		case e.Epoch != epoch:
			fault("%s: a message of the epoch %s, not %s", who, e.Epoch, epoch)
		case e.Offset <= last:
			fault("%s: %d (%s) comes behind %d", who, e.Offset, e.Data, last)
		default:
			if next, _ := behind(); next != e.Offset {
				fault("%s: %d is missing before %d", who, next, e.Offset)
			}
			last = e.Offset
			seen[e.Data] = true
		}
	}
	if !begun {
		fault("client %d, %s: it has seen no beginning", l.Client, l.Topic)
	}
	if next, there := behind(); begun && there {
		fault("client %d, %s: %d never came; the last one was %d", l.Client, l.Topic, next, last)
	}
}

// linearizable reports whether the publishes of a topic fit a log to which each is appended at some time between its call and its
// return. One without an answer may be appended at any time after its call.
func linearizable(publishes []publish, topic, epoch string, where map[[2]string][]place) bool {
	var operations []porcupine.Operation
	for _, p := range publishes {
		places := where[[2]string{topic, p.Data}]
		if p.Topic != topic || len(places) != 1 || places[0].Epoch != epoch {
			continue
		}
		o := porcupine.Operation{ClientId: p.Client, Input: p.Data, Call: p.Call, Output: places[0].Offset, Return: p.Return}
		if p.Outcome != acknowledged {
			o.Return = math.MaxInt64
		}
		operations = append(operations, o)
	}
	slices.SortFunc(operations, func(a, b porcupine.Operation) int { return cmp.Compare(a.Output.(uint64), b.Output.(uint64)) })
	for i := range operations {
		operations[i].Output = i
	}
	return porcupine.CheckOperations(appending, operations)
}

// appending is a log that grows at its end: its state is its length, and an operation returns where it has appended.
var appending = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(length, _, at any) (bool, any) { return at == length, length.(int) + 1 },
}
