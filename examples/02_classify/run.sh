#!/bin/sh
# Classifies IMAGE, whose class must come out as CLASS: model owner, data owner and server in turn.
#
# Usage: run.sh DIRECTORY_OF_PROGRAMS MODEL.onnx IMAGE CLASS
set -eu
programs=$1 model=$2 image=$3 class=$4
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

"$programs/02_compile" "$model" "$directory"
"$programs/02_client" keys "$directory"
"$programs/02_client" encrypt "$directory" "$image"
"$programs/02_server" "$directory"
"$programs/02_client" decrypt "$directory" | tee "$directory/answer"
ls -l "$directory"
grep -qx "class $class" "$directory/answer"
