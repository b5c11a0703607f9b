package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"runtime/debug"
)

// release is set by .ci/release, whose builds know no version otherwise.
var release string

func versionCommand() *command {
	return &command{
		name: "version", summary: "print the version",
		examples: "wss version",
		declare:  func(*flag.FlagSet) action { return version },
	}
}

func version(_ context.Context, c *console, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q", args[0])
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fmt.Errorf("the program was built without its version")
	}
	fmt.Fprintln(c.out, describeBuild(info))
	return nil
}

// describeBuild returns the version of the module, and the commit where the build knows it.
func describeBuild(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	version := cmp.Or(release, info.Main.Version, "(devel)")
	text := "wss " + version
	if revision := settings["vcs.revision"]; revision != "" {
		text += ", commit " + revision[:min(12, len(revision))]
		if settings["vcs.modified"] == "true" {
			text += " with changes"
		}
	}
	return fmt.Sprintf("%s, %s, %s/%s", text, info.GoVersion, settings["GOOS"], settings["GOARCH"])
}
