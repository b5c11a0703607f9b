package report

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteTable(t *testing.T) {
	expected, err := Match([]string{"1.1.*", "6.3.1", "6.4.*", "7.1.6", "7.13.1", "12.1.1"})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := recorded(t).WriteTable(&got, expected); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "recorded", "table.golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestWriteTableOfAPass(t *testing.T) {
	var got strings.Builder
	if err := perfect().WriteTable(&got, AllCases()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(got.String(), "\npass: all 517 cases\n") || !strings.Contains(got.String(), "514") {
		t.Errorf("got:\n%s", got.String())
	}
}

type fullDisk struct{}

var errFull = errors.New("full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestWriteTableReturnsTheWritersError(t *testing.T) {
	if err := perfect().WriteTable(fullDisk{}, AllCases()); !errors.Is(err, errFull) {
		t.Errorf("error %v", err)
	}
}
