package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"
)

// verdict is the result of check.
type verdict struct {
	Faults       []string // at most maxFaults; empty if the history is right
	Messages     int      // distinct messages that were delivered
	Acknowledged int      // publishes
	Unknown      int
	Refused      int
	Resumed      int // subscriptions that began where the client was
	NotRecovered int // subscriptions that began with the news that messages are lost
}

// maxFaults is how many faults a verdict has at most.
const maxFaults = 50

// check says whether a history is one that topics may have, if every client was given the time to receive everything:
//
//   - a position has one message, and a message has one position; no two topics have the same offset in an epoch;
//   - a client receives the messages of a topic in the order of their offsets, each once;
//   - from the beginning of a subscription on it receives all, across connections that resumed where it was;
//   - an acknowledged message is at the position of the acknowledgement, and somebody has received it; a refused one is nowhere;
//   - every client has seen the beginning of each of its subscriptions, which is not beyond the last message, and each later one
//     has an answer to the client's position;
//   - a message that was published after another one had been acknowledged has a higher offset.
func check(h history) verdict {
	c := &checker{history: h, messages: map[position]string{}, positions: map[[2]string][]position{}}
	c.collect()
	c.checkOutcomes()
	c.checkDelivered()
	c.checkUnique()
	order := c.order()
	for _, l := range h.Logs {
		c.checkLog(l, order[l.Topic])
	}
	for topic, epochs := range order {
		for _, epoch := range slices.Sorted(maps.Keys(epochs)) {
			if !linearizable(h.Publishes, topic, epoch, c.positions) {
				c.fault("%s: messages are in another order than they were published", topic)
			}
		}
	}
	return c.verdict
}

// position is that of a message.
type position struct {
	Topic, Epoch string
	Offset       uint64
}

// checker checks one history.
type checker struct {
	history
	verdict
	messages  map[position]string      // the data of each message
	positions map[[2]string][]position // by topic and data
}

func (c *checker) fault(format string, args ...any) {
	if len(c.Faults) < maxFaults {
		c.Faults = append(c.Faults, fmt.Sprintf(format, args...))
	}
}

// add notes that somebody has seen a message at a position.
func (c *checker) add(who string, p position, data string) {
	if other, known := c.messages[p]; known {
		if other != data {
			c.fault("%s: %v is %q, for others %q", who, p, data, other)
		}
		return
	}
	c.messages[p] = data
	key := [2]string{p.Topic, data}
	c.positions[key] = append(c.positions[key], p)
}

// received calls f with every message that a client has received.
func (c *checker) received(f func(client int, p position, data string)) {
	for _, l := range c.Logs {
		for _, e := range l.Entries {
			if !e.Begins {
				f(l.Client, position{l.Topic, e.Epoch, e.Offset}, e.Data)
			}
		}
	}
}

// collect adds the messages that clients have received.
func (c *checker) collect() {
	c.received(func(client int, p position, data string) { c.add(fmt.Sprintf("client %d", client), p, data) })
	c.Messages = len(c.messages)
}

// checkOutcomes counts the outcomes of publishes, and adds the acknowledged messages. Refused ones must be nowhere.
func (c *checker) checkOutcomes() {
	for _, p := range c.Publishes {
		switch p.Outcome {
		case acknowledged:
			c.Acknowledged++
			c.add(fmt.Sprintf("the acknowledgement of client %d", p.Client), position{p.Topic, p.Epoch, p.Offset}, p.Data)
		case unknown:
			c.Unknown++
		case refused:
			c.Refused++
			if positions := c.positions[[2]string{p.Topic, p.Data}]; len(positions) > 0 {
				c.fault("client %d: %q was refused, and is at %v", p.Client, p.Data, positions)
			}
		default:
			c.fault("client %d: %q has the outcome %q", p.Client, p.Data, p.Outcome)
		}
	}
	if len(c.Logs) == 0 || c.Acknowledged == 0 || c.Messages == 0 {
		c.fault("nothing was acknowledged, or nobody has received anything: that shows nothing")
	}
}

// checkDelivered checks that somebody has received each acknowledged message.
func (c *checker) checkDelivered() {
	delivered := map[position]bool{}
	c.received(func(_ int, p position, _ string) { delivered[p] = true })
	for _, p := range c.Publishes {
		if p.Outcome == acknowledged && !delivered[position{p.Topic, p.Epoch, p.Offset}] {
			c.fault("client %d: %q was acknowledged at %s/%d of %s, and has come to nobody", p.Client, p.Data, p.Epoch, p.Offset, p.Topic)
		}
	}
}

// checkUnique checks that offsets are unique among topics, and that each message was published, and has one position.
func (c *checker) checkUnique() {
	topics := map[position]string{} // by epoch and offset
	for p := range c.messages {
		n := position{"", p.Epoch, p.Offset}
		if other, known := topics[n]; known && other != p.Topic {
			c.fault("%s/%d is in %s and in %s", p.Epoch, p.Offset, p.Topic, other)
		}
		topics[n] = p.Topic
	}
	published := map[[2]string]bool{}
	for _, p := range c.Publishes {
		published[[2]string{p.Topic, p.Data}] = true
	}
	for key, positions := range c.positions {
		if len(positions) > 1 {
			c.fault("%q comes twice: %v", key[1], positions)
		}
		if !published[key] {
			c.fault("nobody has published %q in %s", key[1], key[0])
		}
	}
}

// order returns the offsets of all messages, sorted, by topic and epoch.
func (c *checker) order() map[string]map[string][]uint64 {
	order := map[string]map[string][]uint64{}
	for p := range c.messages {
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
	return order
}

// checkLog checks what one client was sent of one topic. offsets are those of the topic's messages, by epoch.
func (c *checker) checkLog(l topicLog, offsets map[string][]uint64) {
	r := &subscriber{checker: c, who: fmt.Sprintf("client %d, %s", l.Client, l.Topic), offsets: offsets, seen: map[string]bool{}}
	for _, e := range l.Entries {
		if e.Begins {
			r.begin(e)
		} else {
			r.receive(e)
		}
	}
	if !r.begun {
		c.fault("%s: it has seen no beginning", r.who)
	}
	if next, there := r.next(); r.begun && there {
		c.fault("%s: %d never came; the last one was %d", r.who, next, r.last)
	}
}

// subscriber is a client as it reads one topic.
type subscriber struct {
	*checker
	who     string
	offsets map[string][]uint64 // of the topic's messages, by epoch
	begun   bool
	epoch   string
	last    uint64          // offset
	seen    map[string]bool // data
}

// next returns the offset of the message after the last one.
func (r *subscriber) next() (offset uint64, there bool) {
	offsets := r.offsets[r.epoch]
	i, _ := slices.BinarySearch(offsets, r.last+1)
	if i == len(offsets) {
		return 0, false
	}
	return offsets[i], true
}

// begin checks the beginning of a subscription.
func (r *subscriber) begin(e entry) {
	recovered := e.Recovered != nil && *e.Recovered
	offsets := r.offsets[e.Epoch]
	switch {
	case len(offsets) == 0 && e.Offset > 0 || len(offsets) > 0 && e.Offset > offsets[len(offsets)-1]:
		r.fault("%s: it begins at %s/%d, which is beyond everything", r.who, e.Epoch, e.Offset)
	case r.begun && e.Recovered == nil:
		r.fault("%s: it begins again without an answer to where it was", r.who)
	case r.begun && e.Epoch == r.epoch && e.Offset < r.last && !recovered:
		r.fault("%s: it begins again at %d, before the last one, %d", r.who, e.Offset, r.last)
	case recovered:
		r.resume(e)
	default:
		if e.Recovered != nil {
			r.NotRecovered++
		}
		r.epoch, r.last, r.begun = e.Epoch, e.Offset, true
	}
}

// resume checks a beginning that goes on where the client was.
func (r *subscriber) resume(e entry) {
	r.Resumed++
	if !r.begun {
		r.epoch, r.last, r.begun = e.Epoch, e.Offset, true
		return
	}
	// An offset between two messages leaves nothing out.
	if next, there := r.next(); e.Epoch != r.epoch || e.Offset > r.last && there && next <= e.Offset {
		r.fault("%s: it goes on at %s/%d, and the client has %s/%d", r.who, e.Epoch, e.Offset, r.epoch, r.last)
	}
}

// receive checks a message.
func (r *subscriber) receive(e entry) {
	switch {
	case r.seen[e.Data]:
		r.fault("%s: %q comes twice", r.who, e.Data)
	case !r.begun:
		r.fault("%s: %d comes before the subscription", r.who, e.Offset)
	case e.Epoch != r.epoch:
		r.fault("%s: a message of the epoch %s, not %s", r.who, e.Epoch, r.epoch)
	case e.Offset <= r.last:
		r.fault("%s: %d (%s) comes behind %d", r.who, e.Offset, e.Data, r.last)
	default:
		if next, _ := r.next(); next != e.Offset {
			r.fault("%s: %d is missing before %d", r.who, next, e.Offset)
		}
		r.last = e.Offset
		r.seen[e.Data] = true
	}
}

// linearizable reports whether the publishes of a topic fit a log to which each was appended at some time between its call and its
// return, or at any time after its call if it has no answer.
func linearizable(publishes []publish, topic, epoch string, positions map[[2]string][]position) bool {
	var operations []porcupine.Operation
	for _, p := range publishes {
		at := positions[[2]string{topic, p.Data}]
		if p.Topic != topic || len(at) != 1 || at[0].Epoch != epoch {
			continue
		}
		o := porcupine.Operation{ClientId: p.Client, Input: p.Data, Call: p.Call, Output: at[0].Offset, Return: p.Return}
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

// appending is a log: its state is its length, and an operation returns the index at which it has appended.
var appending = porcupine.Model{
	Init: func() any { return 0 },
	Step: func(length, _, at any) (bool, any) { return at == length, length.(int) + 1 },
}
