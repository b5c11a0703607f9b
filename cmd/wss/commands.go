package main

import (
	"flag"
	"io"
)

// command is a subcommand.
type command struct {
	name, arguments, summary string
	examples                 string // shown first
	details                  string // shown between the examples and the flags
	passesOn                 bool   // its arguments are a command line, whose flags are not its own
	declare                  func(*flag.FlagSet) action
}

// commands returns the subcommands in the order in which they are listed. (It is a function because help refers to the list.)
func commands() []*command {
	return []*command{
		connectCommand(), serveCommand(), probeCommand(), benchCommand(), conformCommand(),
		completionCommand(), helpCommand(), versionCommand(),
	}
}

// find returns the command with a name, nil if there is none.
func find(name string) *command {
	for _, cmd := range commands() {
		if cmd.name == name {
			return cmd
		}
	}
	return nil
}

// flags returns the flags of the command, and what it does once they are parsed. The flags print nothing by themselves.
func (cmd *command) flags() (*flag.FlagSet, action) {
	flags := flag.NewFlagSet("wss "+cmd.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	return flags, cmd.declare(flags)
}
