package nats

import (
	"context"
	"errors"
	"strconv"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/seed-c4549abd/wss/pubsub"
)

// batch is how many messages one request reads.
const batch = 500

// read returns the stored messages of a subject from an offset on, in order.
func (e *Engine) read(ctx context.Context, subject string, from uint64) (messages []pubsub.Message, err error) {
	for {
		_, js := e.connection()
		all, err := jetstreamext.GetBatch(ctx, js, e.streamName(), batch, jetstreamext.GetBatchSeq(from), jetstreamext.GetBatchSubject(subject))
		if err != nil {
			return nil, err
		}
		// A batch that times out ends without an error: only its last message says that nothing is pending.
		pending := "unknown"
		for raw, err := range all {
			if errors.Is(err, jetstreamext.ErrNoMessages) {
				return messages, nil
			}
			if err != nil {
				return nil, err
			}
			messages = append(messages, messageOf(raw.Sequence, raw.Time, raw.Header, raw.Data))
			from, pending = raw.Sequence+1, raw.Header.Get("Nats-Num-Pending")
		}
		switch pending {
		case "0":
			return messages, nil
		case "unknown":
			return nil, errors.Join(context.Cause(ctx), natsgo.ErrTimeout)
		}
	}
}

// readLast returns the last stored message of each subject that has one.
func (e *Engine) readLast(ctx context.Context, subjects []string) (map[string]pubsub.Message, error) {
	_, js := e.connection()
	all, err := jetstreamext.GetLastMsgsFor(ctx, js, e.streamName(), subjects)
	if err != nil {
		return nil, err
	}
	last := map[string]pubsub.Message{}
	pending := "unknown"
	for raw, err := range all {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			return last, nil
		}
		if err != nil {
			return nil, err
		}
		last[raw.Subject] = messageOf(raw.Sequence, raw.Time, raw.Header, raw.Data)
		pending = raw.Header.Get("Nats-Num-Pending")
	}
	if pending != "0" {
		return nil, errors.Join(context.Cause(ctx), natsgo.ErrTimeout)
	}
	return last, nil
}

// arrivalOf decodes a message that the stream has sent on.
func arrivalOf(msg *natsgo.Msg) (arrival, error) {
	offset, err := strconv.ParseUint(msg.Header.Get(jetstream.SequenceHeader), 10, 64)
	if err != nil {
		return arrival{}, err
	}
	before, err := strconv.ParseUint(msg.Header.Get(jetstream.LastSequenceHeader), 10, 64)
	if err != nil {
		return arrival{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, msg.Header.Get(jetstream.TimeStampHeaer))
	if err != nil {
		return arrival{}, err
	}
	return arrival{messageOf(offset, at, msg.Header, msg.Data), before}, nil
}

// messageOf makes a message without Topic, which the hub fills in.
func messageOf(offset uint64, at time.Time, header natsgo.Header, data []byte) pubsub.Message {
	key, _ := unescape(header.Get(keyHeader))
	origin, _ := unescape(header.Get(originHeader))
	return pubsub.Message{Offset: offset, Time: at, Key: key, Origin: origin, Data: data}
}
