#!/usr/bin/env bash
# Installs the Debian packages that FFConv needs and that are missing; silent when there are none.
# Usage: setup.sh [--dev]    --dev adds what the tests and checks need (packages-dev.txt)
# Exit code 1 where something is missing and cannot be installed. What apt says goes to build/setup.log.
# FFCONV_SKIP_SETUP=1 does nothing: for systems without apt.
set -euo pipefail
cd "$(dirname "$0")/.."

files=(scripts/packages.txt)
if [ "${1:-}" = --dev ]; then
  files+=(scripts/packages-dev.txt)
fi
mapfile -t wanted < <(sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "${files[@]}")

if [ -n "${FFCONV_SKIP_SETUP:-}" ]; then
  exit 0
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "This system has no apt. FFConv needs what these Debian packages hold:"
  printf '  %s\n' "${wanted[@]}"
  echo "Install them by your system's means and set FFCONV_SKIP_SETUP=1."
  exit 1
fi

installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null |
  sed -n 's/^ii *//p' || true)
mapfile -t missing < <(printf '%s\n' "${wanted[@]}" | grep -vxF -f <(printf '%s\n' "$installed") || true)
if [ "${#missing[@]}" -eq 0 ]; then
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Missing packages, and neither root nor sudo to install them. As root, run:"
    echo "  apt-get install ${missing[*]}"
    exit 1
  fi
  as_root=(sudo)
fi

mkdir -p build
log=build/setup.log
run() {
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "$@" </dev/null >>"$log" 2>&1; then
    echo "failed: $* (the end of $log:)"
    tail -n 15 "$log"
    exit 1
  fi
}
: >"$log"
echo "setup: updating the package lists"
run apt-get update
echo "setup: installing ${missing[*]}"
run apt-get install -y --no-install-recommends "${missing[@]}"
