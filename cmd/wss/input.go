package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/conn"
)

// outgoing is a message to send, or an error of the input.
type outgoing struct {
	typ  conn.MessageType
	data []byte
	err  error

	losses int // connections that were lost while it was sent
}

// readInput returns the messages of the standard input. Its goroutine ends with the input: a read of a terminal cannot be cancelled.
func readInput(o *connectOptions, in io.Reader) <-chan outgoing {
	messages := make(chan outgoing)
	go func() {
		defer close(messages)
		if o.whole {
			messages <- readWhole(in, o.binary)
			return
		}
		lines := bufio.NewReader(in)
		for {
			line, err := lines.ReadBytes('\n')
			if len(line) > 0 {
				messages <- parseLine(trimLineEnd(line), o.binary)
			}
			if err == io.EOF {
				return
			}
			if err != nil {
				messages <- outgoing{err: err}
				return
			}
		}
	}()
	return messages
}

func readWhole(in io.Reader, binary bool) outgoing {
	data, err := io.ReadAll(in)
	m := outgoing{typ: conn.Text, data: data, err: err}
	switch {
	case binary:
		m.typ = conn.Binary
	case err == nil && !utf8.Valid(data):
		m.err = conn.ErrInvalidUTF8
	}
	return m
}

func parseLine(line []byte, binary bool) outgoing {
	if !binary {
		return outgoing{typ: conn.Text, data: line}
	}
	data, err := base64.StdEncoding.DecodeString(string(line))
	if err != nil {
		err = fmt.Errorf("the line is not base64, which -binary takes: %w", err)
	}
	return outgoing{typ: conn.Binary, data: data, err: err}
}

// trimLineEnd removes the line break: a newline, or what Windows writes.
func trimLineEnd(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if runtime.GOOS == "windows" {
		line = bytes.TrimSuffix(line, []byte("\r"))
	}
	return line
}
