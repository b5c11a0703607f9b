package main

// history is what the clients of a run have published and received.
type history struct {
	Publishes []publish
	Logs      []topicLog
}

// publish is one publish request and its outcome. Times are in nanoseconds since the beginning of the run.
type publish struct {
	Client  int
	Topic   string
	Data    string // unique among all requests
	Call    int64
	Return  int64 // 0: there was no answer
	Outcome outcome
	Offset  uint64 // if it was acknowledged
	Epoch   string
}

type outcome string

const (
	acknowledged outcome = "acknowledged"
	refused      outcome = "refused" // an answer that says that it was not stored
	unknown      outcome = "unknown" // no answer, or one that says that it may have been stored
)

// topicLog is what one client was sent of one topic, in the order in which it was received.
type topicLog struct {
	Client  int
	Topic   string
	Entries []entry
}

// entry is a message, or the beginning of a subscription with the offset before the first message.
type entry struct {
	Begins    bool
	Recovered *bool // of a beginning: nil if the client had no position
	Epoch     string
	Offset    uint64
	Data      string
}
