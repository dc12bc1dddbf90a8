#!/usr/bin/env python3
"""Checks what holds for the tree as a whole.

Every folder of src/ffconv has a README.md; no file under src/ exceeds MAX_LINES lines; every relative
link in a Markdown file leads to a file or folder.

Usage: check_layout.py [ROOT]. Prints one line a violation; exit code 1 if there is any.
"""

import re
import sys
from pathlib import Path

MAX_LINES = 800
MARKDOWN_DIRS = ("src", "apps", "examples", "tests", "bench", "docs", "models", "samples", "training")

LINK = re.compile(r"\]\(([^)\s]+)\)")
EXTERNAL = re.compile(r"[a-z]+:")


def check_readmes(root):
    for folder in sorted((root / "src" / "ffconv").iterdir()):
        if folder.is_dir() and not (folder / "README.md").is_file():
            yield folder, "no README.md"


def check_lengths(root):
    for path in sorted((root / "src").rglob("*")):
        if path.is_file():
            lines = path.read_bytes().count(b"\n")
            if lines > MAX_LINES:
                yield path, f"{lines} lines, expected at most {MAX_LINES}"


def check_links(root):
    files = sorted(root.glob("*.md"))
    for directory in MARKDOWN_DIRS:
        files += sorted((root / directory).rglob("*.md"))
    for path in files:
        for target in LINK.findall(path.read_text(encoding="utf-8")):
            if EXTERNAL.match(target) or target.startswith("#"):
                continue
            if not (path.parent / target.split("#")[0]).exists():
                yield path, f"link to {target}, which does not exist"


def main(argv):
    root = Path(argv[1]).resolve() if len(argv) > 1 else Path(__file__).resolve().parent.parent
    violations = [*check_readmes(root), *check_lengths(root), *check_links(root)]
    for path, problem in violations:
        print(f"{path.relative_to(root)}: {problem}")
    print(f"layout: {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
