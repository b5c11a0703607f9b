package install

import (
	"os"
	"path/filepath"
	"testing"
)

func TestForbidServices(t *testing.T) {
	policy := filepath.Join(t.TempDir(), "policy-rc.d")
	restore, err := forbidServices(policy)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(policy); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("%v, %v", info, err)
	}
	again, err := forbidServices(policy)
	if err != nil {
		t.Fatal(err)
	}
	again()
	if _, err := os.Stat(policy); err != nil {
		t.Errorf("a policy that was there is gone: %v", err)
	}
	restore()
	if _, err := os.Stat(policy); !os.IsNotExist(err) {
		t.Errorf("ours is still there: %v", err)
	}
}
