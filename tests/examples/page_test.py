"""The reader of pages notices what it is for."""
import pathlib
import tempfile
import unittest

from page import Reader, blocks_of, fits


class Outputs(unittest.TestCase):
    def test_are_equal_but_for_what_is_of_the_day(self):
        self.assertTrue(fits("12-3ew9590  completed  0s ago\n", "7-0abc123  completed     12s ago\r\n"))
        self.assertTrue(fits("at 2026-11-23T02:55:59.388Z in 1.2 s", "at 2027-01-01T00:00:00Z in 312 ms"))
        self.assertTrue(fits("all ... well\n...\nend", "all is very well\none\ntwo\nend"))
        self.assertTrue(fits("[####] drawn over", "\r\x1b[K[#...] sent 1\r\x1b[K[####] drawn over"))
        for shown, printed in (("3 files", "4 files"), ("a\nb", "a"), ("a", "a\nb"), ("x", ""), ("a.c", "abc"), ("1-abc", "2-abc")):
            self.assertFalse(fits(shown, printed), (shown, printed))

    def test_have_other_numbers_where_the_page_says_so(self):
        self.assertTrue(fits("CPU 7.2 %, 1 disk", "CPU 31 %, 2 disk", numbers=True))
        self.assertFalse(fits("CPU 7.2 %", "CPU a lot", numbers=True))


class Blocks(unittest.TestCase):
    def test_are_taken_with_their_words(self):
        sh, text, toml = blocks_of("```sh fails\na \\\n  b   # why\n\nc\n```\n```text numbers\n1\n```\n```toml\nx = 1\n```\n")
        self.assertEqual((sh.line, sh.words, sh.commands()), (1, {"fails"}, ["a b   # why", "c"]))
        self.assertEqual((text.words, toml.language), ({"numbers"}, "toml"))
        with self.assertRaises(ValueError):
            blocks_of("```sh fail\nfalse\n```\n")


class Reading(unittest.TestCase):
    def follow(self, markdown, patience=60):
        with tempfile.TemporaryDirectory() as folder:
            scratch = pathlib.Path(folder, "terminals")
            scratch.mkdir()
            with Reader(folder, scratch, "demo", ports=[8099], patience=patience) as reader:
                reader.follow(markdown)

    def test_keeps_to_one_shell_and_hides_where_it_is(self):
        self.follow("```sh\nmkdir a && cd a\nname=ana\n```\nThen:\n```sh\necho $name in $PWD\n```\n```text\nana in /home/ana/demo/a\n```\n")
        self.follow("```sh fails\ntest -t 1; false\n```\n```sh\ntest -t 1\n```\n```sh elsewhere\nfalse\n```\n")
        self.follow("```sh again\necho x >>f; cat f\n```\n```text\nx\nx\nx\n```\n")
        self.follow("```sh\npython3 -m http.server 8099 --bind 127.0.0.1   # until Ctrl-C\n```\n"
                    "```sh again\npython3 -c 'import urllib.request as r; print(r.urlopen(\"http://127.0.0.1:8099\").url)'\n```\n```text\nhttp://127.0.0.1:8099\n```\n")

    def test_knows_the_ids_that_were_shown(self):
        self.follow("```sh\necho 26-2vqnzh7 done\n```\n```text\n7-0abc123 done\n```\n```sh\necho 7-0abc123/1/0 | tr - .\n```\n```text\n26.2vqnzh7/1/0\n```\n")

    def test_fails_where_the_page_is_wrong(self):
        for wrong in ("```sh\nfalse\n```\n", "```sh\nfalse\ntrue\n```\n", "```sh fails\ntrue\n```\n", "```sh\necho a\n```\n```text\nb\n```\n", "```sh\nsleep 9\n```\n",
                      "```sh again\necho a\n```\n```text\nb\n```\n", "```sh\nagentd serve --config nowhere.toml\n```\n", "```sh\nagentd no such command\n```\n"):
            with self.subTest(wrong), self.assertRaises(AssertionError):
                self.follow(wrong, patience=1)


if __name__ == "__main__":
    unittest.main()
