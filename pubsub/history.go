package pubsub

import (
	"slices"
	"sort"
	"time"
)

// history keeps the last messages of a topic, in the order of their offsets. The zero value keeps none.
type history struct {
	capacity int
	age      time.Duration // 0: no limit
	ring     []Message     // grows up to capacity
	first    int           // of the oldest in ring
	count    int

	// before is the offset of the message before the oldest, or of the last one if none is kept; 0 if there was none.
	before uint64
	// gap says that it is not known whether there were messages before the oldest.
	gap bool
}

func newHistory(o TopicOptions) history {
	return history{capacity: max(o.History, 0), age: max(o.HistoryAge, 0)}
}

// add keeps a message, and removes the oldest one if there are too many.
func (h *history) add(m Message) {
	if h.capacity == 0 {
		h.noteRemoved(m.Offset)
		return
	}
	h.expire(m.Time)
	switch {
	case h.count == h.capacity:
		h.noteRemoved(h.ring[h.first].Offset)
		h.ring[h.first] = m
		h.first = (h.first + 1) % len(h.ring)
		return
	case h.count == len(h.ring): // grow it, with the oldest first
		ring := make([]Message, min(max(2*len(h.ring), 8), h.capacity))
		for i := range h.count {
			ring[i] = *h.at(i)
		}
		h.ring, h.first = ring, 0
	}
	h.count++
	*h.at(h.count - 1) = m
}

// noteRemoved notes that the message of an offset is not kept any more, or was not kept at all.
func (h *history) noteRemoved(offset uint64) { h.before, h.gap = offset, false }

// at returns the i-th message from the oldest.
func (h *history) at(i int) *Message { return &h.ring[(h.first+i)%len(h.ring)] }

// expire removes the messages that are too old at this time.
func (h *history) expire(now time.Time) {
	if h.age == 0 {
		return
	}
	for h.count > 0 && now.Sub(h.at(0).Time) >= h.age {
		h.noteRemoved(h.at(0).Offset)
		*h.at(0) = Message{}
		h.first = (h.first + 1) % len(h.ring)
		h.count--
	}
	if h.count == 0 {
		h.ring, h.first = nil, 0
	}
}

// since returns the messages after an offset, the oldest first, at most limit of them if that is positive. complete says that none
// of them is missing; if some are, it returns all kept messages.
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

// totalSize returns about how many bytes messages take when they are sent.
func totalSize(messages []Message) (n int) {
	for _, m := range messages {
		n += messageSize(m)
	}
	return n
}

// messageSize returns about how many bytes a message takes, with what the JSON protocol adds.
func messageSize(m Message) int { return len(m.Data) + len(m.Key) + len(m.Topic) + 100 }

// newestWithin returns the last messages that take at most limit bytes together.
func newestWithin(messages []Message, limit int) []Message {
	i := len(messages)
	for i > 0 && limit >= messageSize(messages[i-1]) {
		i--
		limit -= messageSize(messages[i])
	}
	return messages[i:]
}

// newestOfEachKey returns the last message of each key, in the order of their offsets.
func newestOfEachKey(messages []Message) (newest []Message) {
	seen := map[string]bool{}
	for _, m := range slices.Backward(messages) {
		if !seen[m.Key] {
			seen[m.Key] = true
			newest = append(newest, m)
		}
	}
	slices.Reverse(newest)
	return newest
}
