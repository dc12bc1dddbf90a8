#!/usr/bin/env bash
# Installs what training needs and is missing: Debian packages. A C compiler, which FFConv itself needs, makes it fast.
set -euo pipefail
packages=(python3-torch python3-onnx python3-matplotlib python3-pytest)
if dpkg-query -W -f '${db:Status-Abbrev}\n' "${packages[@]}" 2>/dev/null | grep -c '^ii' | grep -qx "${#packages[@]}"; then
  exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update
"${as_root[@]}" apt-get install -y --no-install-recommends "${packages[@]}"
