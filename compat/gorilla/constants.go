package websocket

// Close codes (RFC 6455 §7.4.1). CloseNoStatusReceived, CloseAbnormalClosure and CloseTLSHandshake are reported, never sent.
const (
	CloseNormalClosure           = 1000
	CloseGoingAway               = 1001
	CloseProtocolError           = 1002
	CloseUnsupportedData         = 1003
	CloseNoStatusReceived        = 1005
	CloseAbnormalClosure         = 1006
	CloseInvalidFramePayloadData = 1007
	ClosePolicyViolation         = 1008
	CloseMessageTooBig           = 1009
	CloseMandatoryExtension      = 1010
	CloseInternalServerErr       = 1011
	CloseServiceRestart          = 1012
	CloseTryAgainLater           = 1013
	CloseTLSHandshake            = 1015
)

// Types of messages: the opcodes of RFC 6455 §11.8.
const (
	// TextMessage is UTF-8. It is checked in both directions.
	TextMessage = 1
	// BinaryMessage is any bytes.
	BinaryMessage = 2
	// CloseMessage is a close frame; FormatCloseMessage makes its payload.
	CloseMessage = 8
	// PingMessage is a ping, with a payload of at most 125 bytes.
	PingMessage = 9
	// PongMessage is a pong, with a payload of at most 125 bytes.
	PongMessage = 10
)

func isData(messageType int) bool { return messageType == TextMessage || messageType == BinaryMessage }

func isControl(messageType int) bool {
	return messageType == CloseMessage || messageType == PingMessage || messageType == PongMessage
}

// noMessage is the type that a read returns with an error.
const noMessage = -1
