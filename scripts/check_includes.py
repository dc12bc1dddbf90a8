#!/usr/bin/env python3
"""Checks every #include of the C++ sources against the folder order and the include order.

Folder order (docs/architecture.md): a folder of src/ffconv includes itself and what ALLOWED lists. What
stands in a folder named secret/ is included by files of such folders only: a server links none of it.
Include order inside a file: the file's own header, standard and system headers, third-party <...>,
then the project's "...", each kind in blocks of its own between blank lines. Includes after the first
line of code and inside #if are free in order: instruction-set regions need them there.

Usage: check_includes.py [ROOT]. Prints one line a violation; exit code 1 if there is any.
"""

import re
import sys
from pathlib import Path

ALLOWED = {
    "base": set(),
    "ring": {"base"},
    "ckks": {"base", "ring"},
    "model": {"base"},
    "lowrank": {"base", "model"},
    "plan": {"base", "model", "lowrank"},
    "backend": {"base", "ring", "ckks", "model", "lowrank", "plan"},
    "runtime": {"base", "ring", "ckks", "model", "lowrank", "plan", "backend"},
    "wire": {"base", "ring", "ckks", "model", "lowrank", "plan", "backend", "runtime"},
}
# The planner chooses parameters and knows what operations cost; it never sees a ciphertext.
ALLOWED_HEADERS = {
    "plan": {"ffconv/ckks/cost.h", "ffconv/ckks/level_packing.h", "ffconv/ckks/params.h",
             "ffconv/ring/primes.h"},
}

SECRET = "secret"

SOURCE_DIRS = ("src", "apps", "examples", "tests", "bench")
SUFFIXES = {".h", ".cc"}

# Headers of the compiler and the system beside those of the C and C++ standards, which have no slash
# and, but for C's <name.h>, no dot.
SYSTEM_PREFIXES = ("sys/", "netinet/", "arpa/", "linux/")
SYSTEM_HEADERS = {
    "arm_neon.h", "assert.h", "cpuid.h", "dirent.h", "errno.h", "fcntl.h", "fenv.h", "float.h",
    "immintrin.h", "inttypes.h", "limits.h", "math.h", "poll.h", "pthread.h", "pwd.h", "sched.h",
    "signal.h", "spawn.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "termios.h", "time.h",
    "unistd.h",
}

OWN, STANDARD, THIRD_PARTY, PROJECT = range(4)
KIND_NAMES = ("the file's own header", "standard headers", "third-party headers", "project headers")

INCLUDE = re.compile(r'\s*#\s*include\s+(<([^>]+)>|"([^"]+)")')
CONDITION_BEGIN = re.compile(r"\s*#\s*if")
CONDITION_END = re.compile(r"\s*#\s*endif")


def is_standard(header):
    if header in SYSTEM_HEADERS or header.startswith(SYSTEM_PREFIXES):
        return True
    return "/" not in header and "." not in header


def required_header(root, path):
    """The header beside a library source, as it is written in an include; None where there is none."""
    header = path.with_suffix(".h")
    return str(header.relative_to(root / "src")) if path.suffix == ".cc" and header.is_file() else None


def folder_of(written):
    """base for ffconv/base/x.h; None for a header that is not in a folder of src/ffconv."""
    parts = written.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "ffconv" else None


def check_folder_order(folder, in_secret, written):
    if folder not in ALLOWED:
        return f"folder {folder} is not in the order of docs/architecture.md"
    target = folder_of(written)
    if target is None:
        return f'"{written}": expected a path that begins with "ffconv/{folder}/" or another folder\'s'
    if SECRET in written.split("/")[:-1] and not in_secret:
        return f'"{written}": only files in a folder {SECRET}/ may include it'
    if target == folder or target in ALLOWED[folder]:
        return None
    if written in ALLOWED_HEADERS.get(folder, ()):
        return None
    return f'"{written}": {folder}/ must not include {target}/'


class Include:
    def __init__(self, line, match):
        self.line = line
        self.quoted = match.group(3) is not None
        self.written = match.group(3) or match.group(2)


def parse(text):
    """All includes, and the leading ones as blocks (lists of consecutive include lines)."""
    includes, blocks, depth, leading, in_comment, in_block = [], [], 0, True, False, False
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if in_comment:
            in_comment = "*/" not in stripped
            continue
        match = INCLUDE.match(line)
        if match:
            include = Include(number, match)
            includes.append(include)
            if leading and depth == 0:
                if not in_block:
                    blocks.append([])
                blocks[-1].append(include)
                in_block = True
            continue
        in_block = in_block and stripped.startswith("//")
        if CONDITION_BEGIN.match(line):
            depth += 1
        elif CONDITION_END.match(line):
            depth -= 1
        elif stripped.startswith("/*"):
            in_comment = "*/" not in stripped
        elif stripped and depth == 0 and not stripped.startswith(("//", "#")):
            leading = False
    return includes, blocks


def check_blocks(path, blocks, required):
    """Yields (line, problem): `required` must lead where given, kinds must not mix or go back."""
    if required is not None and not (blocks and blocks[0][0].written == required):
        yield (blocks[0][0].line if blocks else 1), f'expected its own header "{required}" first'

    def kind_of(include):
        if include.quoted:
            own = Path(include.written).stem == path.stem.removesuffix("_test")
            return OWN if own and blocks[0] == [include] else PROJECT
        return STANDARD if is_standard(include.written) else THIRD_PARTY

    highest = OWN
    for block in blocks:
        kinds = sorted({kind_of(include) for include in block})
        if len(kinds) > 1:
            names = " and ".join(KIND_NAMES[kind] for kind in kinds)
            yield block[0].line, f"one block mixes {names}: separate them by a blank line"
        elif kinds[0] < highest:
            yield block[0].line, f"{KIND_NAMES[kinds[0]]} stand after {KIND_NAMES[highest]}"
        highest = max(highest, kinds[-1])


def check_file(root, path):
    """Yields (line, problem) for one file."""
    relative = path.relative_to(root)
    includes, blocks = parse(path.read_text(encoding="utf-8"))
    in_library = relative.parts[:2] == ("src", "ffconv") and len(relative.parts) > 3
    if in_library:
        for include in includes:
            if include.quoted or include.written.startswith("ffconv/"):
                problem = check_folder_order(
                    relative.parts[2], SECRET in relative.parts[3:-1], include.written
                )
                if problem:
                    yield include.line, problem
    yield from check_blocks(path, blocks, required_header(root, path) if in_library else None)


def sources(root):
    for directory in SOURCE_DIRS:
        yield from sorted(p for p in (root / directory).rglob("*") if p.suffix in SUFFIXES)


def main(argv):
    root = Path(argv[1]).resolve() if len(argv) > 1 else Path(__file__).resolve().parent.parent
    files, violations = 0, 0
    for path in sources(root):
        files += 1
        for line, problem in sorted(check_file(root, path)):
            print(f"{path.relative_to(root)}:{line}: {problem}")
            violations += 1
    print(f"includes: {files} files, {violations} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
