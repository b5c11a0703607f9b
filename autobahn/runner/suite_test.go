package main

import (
	"io"
	"strings"
	"testing"
)

func TestFindSuite(t *testing.T) {
	all := []string{"docker", "python2.7", "pyenv"}
	tests := []struct {
		name     string
		suite    string
		programs []string
		env      map[string]string
		want     string // in the suite's name, or in the error if it starts with !
	}{
		{"Docker before Python", suiteAuto, all, map[string]string{fakeEngine: "up"}, "image"},
		{"Python where no engine answers", suiteAuto, all, nil, "venv-"},
		{"Python where there is no docker", suiteAuto, all[1:], nil, "venv-"},
		{"Python if asked for", suitePython, all, map[string]string{fakeEngine: "up"}, "venv-"},
		{"Docker if asked for", suiteDocker, all, map[string]string{fakeEngine: "up"}, "image"},
		{"Docker if asked for, without an engine", suiteDocker, all, nil, "!no Docker engine answers"},
		{"Docker if asked for, without the program", suiteDocker, all[1:], nil, "!no docker command"},
		{"neither, told how to get Docker", suiteAuto, nil, nil, "!docs.docker.com"},
		{"neither, told how to get Python", suiteAuto, nil, nil, "!pyenv install 2.7.18"},
		{"an engine that is down, no PyPI", suiteAuto, all, map[string]string{fakePip: "down"}, "!No matching distribution"},
		{"an engine that is down, no PyPI, the engine's error", suiteAuto, all, map[string]string{fakePip: "down"},
			"!Cannot connect to the Docker daemon"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			installFakes(t, tt.programs...)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			s, err := findSuite(t.Context(), &options{suite: tt.suite, image: "image", cache: t.TempDir()}, io.Discard)
			if want, refused := strings.CutPrefix(tt.want, "!"); refused {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one that says %q", err, want)
				}
			} else if err != nil || !strings.Contains(s.String(), want) {
				t.Errorf("got %v, error %v, want %q", s, err, want)
			}
		})
	}
}
