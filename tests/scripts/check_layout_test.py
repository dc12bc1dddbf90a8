"""check_layout.py on planted violations: each is found, and a tree in order passes."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import check_layout  # noqa: E402


class CheckLayoutTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.root = Path(self.directory.name)
        self.write("src/ffconv/base/README.md", "# base\n")

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def test_a_tree_in_order_passes(self):
        self.write("src/ffconv/base/a.cc", "\n" * check_layout.MAX_LINES)
        self.assertEqual(check_layout.main(["check_layout.py", str(self.root)]), 0)

    def test_a_folder_without_readme_is_found(self):
        self.write("src/ffconv/ring/a.h", "")
        self.assertEqual(list(check_layout.check_readmes(self.root)), [(self.root / "src/ffconv/ring", "no README.md")])
        self.assertEqual(check_layout.main(["check_layout.py", str(self.root)]), 1)

    def test_a_file_one_line_too_long_is_found(self):
        self.write("src/ffconv/base/a.cc", "\n" * (check_layout.MAX_LINES + 1))
        self.assertEqual([path.name for path, _ in check_layout.check_lengths(self.root)], ["a.cc"])
        self.assertEqual(check_layout.main(["check_layout.py", str(self.root)]), 1)

    def test_a_link_that_leads_nowhere_is_found_and_others_are_not(self):
        self.write("docs/b.md", "# b\n")
        self.write("docs/a.md", "[b](b.md#part) [up](../src) [web](https://example.org) [here](#a) [gone](gone.md)\n")
        self.assertEqual(
            list(check_layout.check_links(self.root)),
            [(self.root / "docs/a.md", "link to gone.md, which does not exist")],
        )


if __name__ == "__main__":
    unittest.main()
