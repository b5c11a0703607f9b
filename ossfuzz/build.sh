#!/bin/bash -eu
# Builds every fuzz target of the root module for OSS-Fuzz, each with its corpus as seeds. It runs in OSS-Fuzz's image, in a checkout.

# list prints the package and the name of each target.
list() {
    grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u | while read -r package; do
        # A nested module is built from its own folder; those here belong to the root.
        module=$package
        until [ -f "$module/go.mod" ]; do module=$(dirname "$module"); done
        [ "$module" = . ] || continue
        grep -hoE '^func Fuzz[A-Za-z0-9_]*' "$package"/*_test.go | sed "s|^func |$package |"
    done
}

if [ "${1-}" = -list ]; then
    list
    exit
fi

list | while read -r package target; do
    name=$(tr / _ <<<"${package#./}")_$target
    compile_native_go_fuzzer "$(go list "$package")" "$target" "$name"
    seeds=$package/testdata/fuzz/$target
    [ ! -d "$seeds" ] || zip -qj "$OUT/${name}_seed_corpus.zip" "$seeds"/*
done
