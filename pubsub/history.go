package pubsub

import "time"

// history is the last messages of a topic, in the order of their offsets. The zero value keeps none.
type history struct {
	most  int
	age   time.Duration // 0: messages do not become too old
	ring  []Message     // grows up to most
	first int           // of the oldest in ring
	count int
}

func newHistory(o TopicOptions) history {
	return history{most: max(o.History, 0), age: max(o.HistoryAge, 0)}
}

// add keeps a message, and forgets the oldest if there are too many.
func (h *history) add(m Message) {
	if h.most == 0 {
		return
	}
	h.expire(m.Time)
	switch {
	case h.count == h.most:
		h.ring[h.first] = m
		h.first = (h.first + 1) % len(h.ring)
		return
	case h.count == len(h.ring): // it grows: unroll it
		ring := make([]Message, min(max(2*len(h.ring), 8), h.most))
		for i := range h.count {
			ring[i] = *h.at(i)
		}
		h.ring, h.first = ring, 0
	}
	h.count++
	*h.at(h.count - 1) = m
}

// at returns the i-th message from the oldest.
func (h *history) at(i int) *Message { return &h.ring[(h.first+i)%len(h.ring)] }

// expire forgets the messages that are too old at a time.
func (h *history) expire(now time.Time) {
	if h.age == 0 {
		return
	}
	for h.count > 0 && now.Sub(h.at(0).Time) >= h.age {
		*h.at(0) = Message{}
		h.first = (h.first + 1) % len(h.ring)
		h.count--
	}
	if h.count == 0 {
		h.ring, h.first = nil, 0
	}
}

// since returns the messages behind an offset, of which the topic has had last, at most limit of them if that is positive: the
// oldest ones. complete says that none is missing before or between them.
func (h *history) since(offset, last uint64, limit int) (messages []Message, complete bool) {
	oldest := last + 1 - uint64(h.count)
	if complete = offset+1 >= oldest && offset <= last; !complete {
		offset = oldest - 1
	}
	n := int(last - offset)
	if limit > 0 {
		n = min(n, limit)
	}
	messages = make([]Message, 0, n)
	for i := range n {
		messages = append(messages, *h.at(h.count - int(last-offset) + i))
	}
	return messages, complete
}
