package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

func completionCommand() *command {
	return &command{
		name: "completion", arguments: "bash|zsh|fish", summary: "print a script that completes commands and flags in a shell",
		examples: `source <(wss completion bash)                                # or in ~/.bashrc
wss completion zsh >"${fpath[1]}/_wss"
wss completion fish >~/.config/fish/completions/wss.fish`,
		declare: func(*flag.FlagSet) action { return completion },
	}
}

func completion(_ context.Context, c *console, args []string) error {
	writers := map[string]func(io.Writer){"bash": completeBash, "zsh": completeZsh, "fish": completeFish}
	if len(args) != 1 || writers[args[0]] == nil {
		return usagef("give one of bash, zsh and fish")
	}
	writers[args[0]](c.out)
	return nil
}

// completions returns what may follow a command: its flags, and the words that its argument is one of.
func (cmd *command) completions() (flags, words []string) {
	set, _ := cmd.flags()
	for _, name := range flagNames(set) {
		flags = append(flags, "-"+name)
	}
	switch cmd.name {
	case "completion":
		words = []string{"bash", "zsh", "fish"}
	case "help":
		words = commandNames()
	}
	return flags, words
}

func commandNames() (names []string) {
	for _, cmd := range commands() {
		names = append(names, cmd.name)
	}
	return names
}

func completeBash(w io.Writer) {
	fmt.Fprint(w, `# Completion of wss for bash.
_wss() {
    local word=${COMP_WORDS[COMP_CWORD]} words=
    if [ "$COMP_CWORD" -eq 1 ]; then
        words='`+strings.Join(commandNames(), " ")+`'
    else
        case ${COMP_WORDS[1]} in
`)
	for _, cmd := range commands() {
		flags, words := cmd.completions()
		fmt.Fprintf(w, "        %s) words='%s' ;;\n", cmd.name, strings.Join(append(words, flags...), " "))
	}
	fmt.Fprint(w, `        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _wss wss
`)
}

func completeZsh(w io.Writer) {
	fmt.Fprint(w, "#compdef wss\n# Completion of wss for zsh.\n_wss() {\n    if (( CURRENT == 2 )); then\n        local -a commands=(\n")
	for _, cmd := range commands() {
		fmt.Fprintf(w, "            %s\n", quoteShell(cmd.name+":"+cmd.summary))
	}
	fmt.Fprint(w, "        )\n        _describe command commands\n        return\n    fi\n    case ${words[2]} in\n")
	for _, cmd := range commands() {
		flags, words := cmd.completions()
		fmt.Fprintf(w, "        %s) compadd -- %s ;;\n", cmd.name, strings.Join(append(words, flags...), " "))
	}
	fmt.Fprint(w, "    esac\n    [[ $PREFIX == -* ]] || _files\n}\nif [[ $funcstack[1] == _wss ]]; then _wss \"$@\"; else compdef _wss wss; fi\n")
}

func completeFish(w io.Writer) {
	fmt.Fprint(w, "# Completion of wss for fish.\n")
	for _, cmd := range commands() {
		fmt.Fprintf(w, "complete -c wss -n __fish_use_subcommand -f -a %s -d %s\n", cmd.name, quoteShell(cmd.summary))
		_, words := cmd.completions()
		condition := quoteShell("__fish_seen_subcommand_from " + cmd.name)
		if len(words) > 0 {
			fmt.Fprintf(w, "complete -c wss -n %s -f -a %s\n", condition, quoteShell(strings.Join(words, " ")))
		}
		set, _ := cmd.flags()
		set.VisitAll(func(f *flag.Flag) {
			_, usage := flag.UnquoteUsage(f)
			fmt.Fprintf(w, "complete -c wss -n %s -o %s -d %s\n", condition, f.Name, quoteShell(usage))
		})
	}
}

// quoteShell quotes a word for a shell. Usages hold apostrophes, which fish and zsh treat differently within quotes, so they become
// typographic.
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", "’") + "'" }
