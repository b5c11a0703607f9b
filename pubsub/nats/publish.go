package nats

import (
	"context"
	"errors"
	"time"

	"crypto/rand"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/seed-c4549abd/wss/pubsub"
)

// Headers of a message.
const (
	keyHeader    = "Topics-Key"
	originHeader = "Topics-Origin"
)

// errUnknown is pubsub.ErrUnavailable for a message that may have been stored.
var errUnknown = &pubsub.Error{
	Code:    pubsub.CodeUnavailable,
	Message: "the servers did not answer in time; it is not known whether the message was published",
}

// Publish is for the hub. It tries until the context ends, for a minute and a half at most, and a message that is tried twice is stored once.
// While the servers have been out of reach for ten seconds or more it fails at once.
func (e *Engine) Publish(ctx context.Context, topic string, o pubsub.TopicOptions, m pubsub.Message) (pubsub.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, publishFor)
	defer cancel()
	if err := e.wait(ctx, func() bool { return e.epoch != "" || e.hopelessNow() }); err != nil {
		return pubsub.Position{}, unavailable(err)
	}
	if e.hopeless() {
		return pubsub.Position{}, unavailable(e.Status().Err)
	}
	msg := natsgo.NewMsg(e.stored(topic))
	msg.Data = m.Data
	if m.Key != "" {
		msg.Header.Set(keyHeader, token(m.Key))
	}
	if m.Origin != "" {
		msg.Header.Set(originHeader, token(m.Origin))
	}
	options := []jetstream.PublishOpt{jetstream.WithMsgID(rand.Text()), jetstream.WithRetryAttempts(0), jetstream.WithExpectStream(e.stream())}
	if kept := e.keptFor(o); kept > 0 {
		options = append(options, jetstream.WithMsgTTL(kept))
	}
	for sent := false; ; {
		ack, err := e.publishOnce(ctx, msg, options)
		if err == nil {
			return pubsub.Position{Epoch: e.knownEpoch(), Offset: ack.Sequence}, nil
		}
		if refusal := refused(err); refusal != nil {
			return pubsub.Position{}, refusal
		}
		// Without responders nobody has it. Everything else leaves that open.
		sent = sent || !errors.Is(err, natsgo.ErrNoResponders) && !errors.Is(err, jetstream.ErrNoStreamResponse)
		select {
		case <-time.After(retryPublish):
		case <-e.ctx.Done():
			return pubsub.Position{}, ErrClosed
		case <-ctx.Done():
			if sent {
				return pubsub.Position{}, errUnknown
			}
			return pubsub.Position{}, unavailable(context.Cause(ctx))
		}
	}
}

func (e *Engine) publishOnce(ctx context.Context, msg *natsgo.Msg, options []jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWait)
	defer cancel()
	_, js := e.link()
	return js.PublishMsg(ctx, msg, options...)
}

// keptFor is how long the stream keeps a message; 0: as long as MaxHistory says.
func (e *Engine) keptFor(o pubsub.TopicOptions) time.Duration {
	kept := e.options.MaxAge
	switch {
	case o.History <= 0:
		kept = keptAnyway
	case o.HistoryAge > 0:
		kept = max(o.HistoryAge, keptAnyway)
	}
	if most := e.options.MaxAge; most > 0 {
		kept = min(kept, most)
	}
	return kept
}

// refused returns the error of a message that no try would get stored; nil if one might.
func refused(err error) error {
	if errors.Is(err, natsgo.ErrMaxPayload) {
		return &pubsub.Error{Code: pubsub.CodeBadData, Message: "the message is longer than the servers carry"}
	}
	api, ok := errors.AsType[*jetstream.APIError](err)
	if !ok {
		return nil
	}
	switch api.ErrorCode {
	case 10077: // maximum bytes exceeded
		return &pubsub.Error{Code: pubsub.CodeTooMany, Message: "the topics take as many bytes as they may"}
	case 10054: // message size exceeds maximum allowed
		return &pubsub.Error{Code: pubsub.CodeBadData, Message: "the message is longer than the servers carry"}
	}
	return nil
}

// unavailable makes an error that clients are told of, with its cause for the server.
func unavailable(cause error) error { return errors.Join(pubsub.ErrUnavailable, cause) }
