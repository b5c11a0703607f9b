package report

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// Machine says what the figures come from; neither its name nor where it is.
type Machine struct {
	CPU    string   `json:"cpu"`
	Cores  int      `json:"cores"`
	System string   `json:"system"`
	Go     string   `json:"go"`
	Peers  []Module `json:"peers"`
}

// Module is a library in the version that was measured.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

// ThisMachine looks around.
func ThisMachine(modules []string) Machine {
	m := Machine{
		CPU: cpuModel(), Cores: runtime.NumCPU(), Go: runtime.Version(),
		System: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		release, _, _ := strings.Cut(strings.TrimSpace(string(b)), "-")
		m.System += " " + release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return m
	}
	for _, path := range modules {
		for _, d := range info.Deps {
			if d.Path != path {
				continue
			}
			version := d.Version
			if d.Replace != nil {
				version = "this tree"
			}
			m.Peers = append(m.Peers, Module{path, version})
		}
	}
	return m
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		name, value, ok := strings.Cut(s.Text(), ":")
		if ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
