package pubsub

import (
	"sort"
	"time"
)

// history is the last messages of a topic, in the order of their offsets. The zero value keeps none.
type history struct {
	most  int
	age   time.Duration // 0: messages do not become too old
	ring  []Message     // grows up to most
	first int           // of the oldest in ring
	count int

	// before is the offset of the message before the oldest, or of the last one if none is kept; 0 if there was none.
	before uint64
	// gap says that it is not known what was before the oldest.
	gap bool
}

func newHistory(o TopicOptions) history {
	return history{most: max(o.History, 0), age: max(o.HistoryAge, 0)}
}

// add keeps a message, and forgets the oldest if there are too many.
func (h *history) add(m Message) {
	if h.most == 0 {
		h.forgotten(m.Offset)
		return
	}
	h.expire(m.Time)
	switch {
	case h.count == h.most:
		h.forgotten(h.ring[h.first].Offset)
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

// forgotten notes that the message of an offset is not kept any more, or was not kept at all.
func (h *history) forgotten(offset uint64) { h.before, h.gap = offset, false }

// at returns the i-th message from the oldest.
func (h *history) at(i int) *Message { return &h.ring[(h.first+i)%len(h.ring)] }

// expire forgets the messages that are too old at a time.
func (h *history) expire(now time.Time) {
	if h.age == 0 {
		return
	}
	for h.count > 0 && now.Sub(h.at(0).Time) >= h.age {
		h.forgotten(h.at(0).Offset)
		*h.at(0) = Message{}
		h.first = (h.first + 1) % len(h.ring)
		h.count--
	}
	if h.count == 0 {
		h.ring, h.first = nil, 0
	}
}

// since returns the messages behind an offset, at most limit of them if that is positive: the oldest ones. complete says that
// none is missing before or between them; if some are, all are returned that there are.
func (h *history) since(offset uint64, limit int) (messages []Message, complete bool) {
	from := sort.Search(h.count, func(i int) bool { return h.at(i).Offset > offset })
	switch {
	case from > 0:
		complete = offset <= h.at(h.count-1).Offset
	case h.count > 0:
		complete = offset >= h.before && !h.gap
	default:
		complete = offset == h.before && !h.gap
	}
	if !complete {
		from = 0
	}
	n := h.count - from
	if limit > 0 {
		n = min(n, limit)
	}
	messages = make([]Message, 0, n)
	for i := range n {
		messages = append(messages, *h.at(from + i))
	}
	return messages, complete
}
