package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

func helpCommand() *command {
	return &command{
		name: "help", arguments: "[COMMAND]", summary: "list the commands, or show examples and flags of one",
		examples: "wss help\nwss help connect",
		declare:  func(*flag.FlagSet) action { return help },
	}
}

func help(_ context.Context, c *console, args []string) error {
	if len(args) == 0 {
		writeOverview(c.out)
		return nil
	}
	cmd := find(args[0])
	if cmd == nil || len(args) > 1 {
		return usagef("there is no command %q", strings.Join(args, " "))
	}
	cmd.writeHelp(c.out)
	return nil
}

func writeOverview(w io.Writer) {
	fmt.Fprint(w, "wss talks to WebSocket servers, serves, and examines them.\n\n")
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  wss %-11s %s\n", cmd.name, cmd.summary)
	}
	fmt.Fprint(w, "\nwss help COMMAND has examples and flags.\n")
}

func (cmd *command) writeHelp(w io.Writer) {
	fmt.Fprintf(w, "wss %s: %s\n\nExamples:\n\n", cmd.name, cmd.summary)
	for line := range strings.Lines(cmd.examples) {
		fmt.Fprintf(w, "  %s\n", strings.TrimRight(line, "\n"))
	}
	fmt.Fprintf(w, "\nUsage: wss %s\n", strings.TrimSpace(cmd.name+" "+cmd.arguments))
	if cmd.details != "" {
		fmt.Fprintf(w, "\n%s\n", cmd.details)
	}
	flags, _ := cmd.flags()
	if len(flagNames(flags)) > 0 {
		fmt.Fprint(w, "\nFlags:\n\n")
		flags.SetOutput(w)
		flags.PrintDefaults()
	}
}

// flagNames returns the names of the flags, sorted.
func flagNames(flags *flag.FlagSet) (names []string) {
	flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	return names
}
