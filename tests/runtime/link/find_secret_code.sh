#!/bin/sh
# Fails where a program has functions that make, read or use a secret key.
#
# Usage: find_secret_code.sh PROGRAM
set -eu
# Functions only, in the text section.
symbols=$(nm -C --defined-only "$1" | grep ' [TtWw] ')
found=$(printf '%s\n' "$symbols" | grep -E 'SecretKey|KeyGenerator|secret_key\(|ffconv::decrypt|::Client::' || true)
if [ -n "$found" ]; then
  printf 'secret code in %s, for example:\n%s\n' "$1" "$(printf '%s\n' "$found" | head -n 5)"
  exit 1
fi
# A stripped program would prove nothing.
printf '%s\n' "$symbols" | grep -q 'ffconv::runtime::Server::infer'
printf 'no secret code in %s\n' "$1"
