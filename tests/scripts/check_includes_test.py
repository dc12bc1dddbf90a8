"""check_includes.py on planted violations: each is found, and what is allowed passes."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import check_includes  # noqa: E402


class CheckIncludesTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.root = Path(self.directory.name)

    def problems(self, path, text):
        """Writes `text` to `path` and returns its violations as (line, problem)."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return list(check_includes.check_file(self.root, file))

    def assert_clean(self, path, text):
        self.assertEqual(self.problems(path, text), [])

    def assert_one(self, path, text, line, words):
        problems = self.problems(path, text)
        self.assertEqual(len(problems), 1, problems)
        self.assertEqual(problems[0][0], line)
        self.assertIn(words, problems[0][1])

    def test_every_folder_may_include_itself_and_what_stands_before_it(self):
        for folder, allowed in check_includes.ALLOWED.items():
            for target in allowed | {folder}:
                self.assert_clean(f"src/ffconv/{folder}/a.h", f'#include "ffconv/{target}/b.h"\n')

    def test_every_folder_that_stands_later_is_refused(self):
        for folder, allowed in check_includes.ALLOWED.items():
            for target in check_includes.ALLOWED.keys() - allowed - {folder}:
                text = f'#pragma once\n#include "ffconv/{target}/b.h"\n'
                self.assert_one(f"src/ffconv/{folder}/a.h", text, 2, f"must not include {target}/")

    def test_the_order_has_no_cycle(self):
        order = list(check_includes.ALLOWED)
        for folder, allowed in check_includes.ALLOWED.items():
            self.assertTrue(allowed <= set(order[: order.index(folder)]))

    def test_plan_may_include_costs_and_parameters_but_no_ciphertext(self):
        self.assert_clean("src/ffconv/plan/a.h", '#include "ffconv/ckks/params.h"\n')
        self.assert_one(
            "src/ffconv/plan/a.h", '#include "ffconv/ckks/ciphertext.h"\n', 1, "must not include ckks/"
        )

    def test_a_wrong_include_is_found_in_subfolders_conditions_regions_and_angle_brackets(self):
        self.assert_one("src/ffconv/ring/kernels/a.cc", '#include "ffconv/wire/b.h"\n', 1, "wire/")
        self.assert_one("src/ffconv/base/a.h", '#if X\n#include "ffconv/ring/b.h"\n#endif\n', 2, "ring/")
        self.assert_one("src/ffconv/base/a.h", 'int x;\n#include "ffconv/ring/b.h"\n', 2, "ring/")
        self.assert_one("src/ffconv/base/a.h", "#include <ffconv/ring/b.h>\n", 1, "ring/")

    def test_secret_folders_are_included_by_secret_folders_only(self):
        secret = '#include "ffconv/ckks/secret/secret_key.h"\n'
        self.assert_one("src/ffconv/ckks/evaluator.h", secret, 1, "only files in a folder secret/")
        self.assert_one("src/ffconv/wire/file.h", secret, 1, "only files in a folder secret/")
        self.assert_clean("src/ffconv/ckks/secret/decryptor.h", secret)
        self.assert_clean("src/ffconv/wire/secret/key_file.h", secret)
        self.assert_clean("apps/ffconv/keygen.h", secret)
        self.assert_one("src/ffconv/base/secret/x.h", secret, 1, "must not include ckks/")

    def test_an_include_relative_to_the_folder_is_refused(self):
        self.assert_one("src/ffconv/base/a.h", '#include "bytes.h"\n', 1, "expected a path")

    def test_a_folder_outside_the_order_is_refused(self):
        self.assert_one("src/ffconv/extra/a.h", '#include "ffconv/base/b.h"\n', 1, "not in the order")

    def test_tests_examples_and_applications_may_include_everything(self):
        for path in ("tests/base/a_test.cc", "examples/01_a.cc", "apps/ffconv/a.cc", "bench/a.cc"):
            self.assert_clean(path, '#include "ffconv/wire/b.h"\n#include "ffconv/base/c.h"\n')

    def test_the_four_kinds_in_order_pass(self):
        self.problems("src/ffconv/base/a.h", "")
        text = (
            '#include "ffconv/base/a.h"\n\n#include <sys/stat.h>\n\n#include <array>\n#include <stdint.h>\n\n'
            '#include <fmt/format.h>\n#include <sodium.h>\n\n#include "ffconv/base/b.h"\n'
        )
        self.assert_clean("src/ffconv/base/a.cc", text)

    def test_the_own_header_must_lead(self):
        self.problems("src/ffconv/base/a.h", "")
        self.assert_one(
            "src/ffconv/base/a.cc", '#include <array>\n\n#include "ffconv/base/a.h"\n', 1, "own header"
        )
        self.assert_one("src/ffconv/base/a.cc", "int x;\n", 1, "own header")

    def test_the_own_header_stands_in_a_block_of_its_own(self):
        self.problems("src/ffconv/base/a.h", "")
        self.assert_one(
            "src/ffconv/base/a.cc", '#include "ffconv/base/a.h"\n#include <array>\n', 1, "one block mixes"
        )

    def test_kinds_in_one_block_are_refused(self):
        self.assert_one("src/ffconv/base/a.h", "#include <array>\n#include <sodium.h>\n", 1, "one block mixes")

    def test_a_kind_after_a_later_one_is_refused(self):
        self.assert_one(
            "tests/base/b_test.cc", '#include "ffconv/base/a.h"\n\n#include <array>\n', 3, "stand after"
        )
        self.assert_one("bench/a.cc", "#include <sodium.h>\n\n#include <array>\n", 3, "stand after")

    def test_a_test_may_put_the_header_it_tests_first_or_among_the_others(self):
        self.assert_clean("tests/base/a_test.cc", '#include "ffconv/base/a.h"\n\n#include <array>\n')
        self.assert_clean("tests/base/a_test.cc", '#include "ffconv/base/a.h"\n#include "ffconv/base/b.h"\n')

    def test_comments_and_late_includes_do_not_count_as_order(self):
        text = (
            '// #include "ffconv/wire/a.h"\n/*\n#include "ffconv/wire/b.h"\n*/\n#include <array>\n\n'
            'namespace x {\n#include "ffconv/ring/kernels/body-inl.h"\n#include <cmath>\n}\n'
        )
        self.assert_clean("src/ffconv/ring/kernels/a.cc", text)

    def test_the_exit_code_and_the_summary_tell_violations(self):
        self.problems("src/ffconv/base/a.h", '#include "ffconv/ring/b.h"\n')
        self.assertEqual(check_includes.main(["check_includes.py", str(self.root)]), 1)
        self.problems("src/ffconv/base/a.h", "#include <array>\n")
        self.assertEqual(check_includes.main(["check_includes.py", str(self.root)]), 0)


if __name__ == "__main__":
    unittest.main()
