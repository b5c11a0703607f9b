package suite

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed-c4549abd/wss/autobahn/report"
)

func TestJUnitIsAsInTestdata(t *testing.T) {
	known, err := report.ReadGolden(strings.NewReader("6.4.1 NON-STRICT OK # <why>\n9.1.1 FAILED OK\n"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := WriteJUnit(&out, known, sampleReport()...); err != nil {
		t.Fatal(err)
	}
	held(t, "junit.xml", out.String())
}

// TestJUnitIsXMLWhateverWasSent reads it back, and finds what a peer has sent in text only.
func TestJUnitIsXMLWhateverWasSent(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJUnit(&out, nil, sampleReport()...); err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(out.Bytes()) {
		t.Error("no UTF-8")
	}
	elements := map[string]int{}
	d := xml.NewDecoder(&out)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			elements[start.Name.Local]++
		}
	}
	// Bad has one case that fails and four that are missing; of Good 6.4.1 fails.
	if elements["testcase"] != 9 || elements["failure"] != 6 || elements["script"] != 0 || elements["testsuite"] != 9 {
		t.Errorf("elements %v", elements)
	}
}

// full is a disk with no space left after some octets.
type full int

func (f *full) Write(b []byte) (int, error) {
	if *f -= full(len(b)); *f < 0 {
		return 0, io.ErrShortWrite
	}
	return len(b), nil
}

func TestJUnitThatCannotBeWrittenIsAnError(t *testing.T) {
	for _, space := range []full{0, 100} {
		if err := WriteJUnit(&space, nil, sampleReport()...); err == nil {
			t.Error("written")
		}
	}
}
