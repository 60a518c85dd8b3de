"""The rules of examples/deploy/prometheus: each says what to do, is shown to fire and not to fire, and its texts use labels that it has."""
import re
import unittest

import yaml

from agentd import AgentdTest
from prometheus import EXAMPLE, Prometheus
from readme import Reader, blocks


def rules():
    for group in yaml.safe_load((EXAMPLE / "agentd.rules.yml").read_text())["groups"]:
        yield from group["rules"]


def shown():
    """{alert: the labels of each sample that the tests say fires}"""
    firing = {}
    for file in EXAMPLE.glob("*.test.yml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for question in test["promql_expr_test"]:
                for sample in question["exp_samples"]:
                    labels = dict(re.findall(r'(\w+)="([^"]*)"', sample["labels"]))
                    firing.setdefault(labels["alertname"], []).append(labels)
    return firing


class Rules(AgentdTest):
    def test_say_how_bad_it_is_and_what_to_do(self):
        for rule in rules():
            with self.subTest(rule["alert"]):
                self.assertIn(rule["labels"]["severity"], ("critical", "warning"))
                self.assertEqual(set(rule["annotations"]), {"summary", "description"})
                self.assertRegex(rule["annotations"]["description"], r"`agentd |`journalctl|`iostat|`fuser")

    def test_are_each_shown_to_fire_with_the_labels_their_texts_need(self):
        firing = shown()
        self.assertEqual(set(firing), {rule["alert"] for rule in rules()})
        for rule in rules():
            needed = set(re.findall(r"\{\{ \$labels\.(\w+)", str(rule["annotations"])))
            for labels in firing[rule["alert"]]:
                self.assertLessEqual(needed, set(labels), rule["alert"])
                self.assertEqual(labels["severity"], rule["labels"]["severity"])

    def test_are_what_the_readme_says(self):
        table = dict.fromkeys(re.findall(r"`(Agentd\w+)`", (EXAMPLE / "README.md").read_text()))
        self.assertEqual(set(table), {rule["alert"] for rule in rules()})
        for line in (EXAMPLE / "README.md").read_text().splitlines():
            for name in re.findall(r"`(Agentd\w+)`", line):
                rule = next(rule for rule in rules() if rule["alert"] == name)
                self.assertIn(f"| {rule['labels']['severity']} |", line, name)

    def test_hold_when_the_readme_is_followed(self):
        reader = Reader(EXAMPLE, self.folder)
        checks, install = blocks(reader.readme)
        self.assertIn("SUCCESS", reader.follow(checks))
        self.assertIn("1 rule files found", reader.follow(install, AGENTD_METRICS_TOKEN="secret"))
        token = reader.root / "etc/prometheus/agentd.token"
        self.assertEqual(token.read_text(), "secret")
        self.assertEqual(token.stat().st_mode & 0o777, 0o640)
        self.assertEqual(reader.calls(), ["systemctl reload prometheus"])

    def test_would_be_missed(self):
        """A rule that never fires, or fires beside what it is for, is found by the tests of the rules."""
        reader = Reader(EXAMPLE, self.folder)
        text = (reader.here / "agentd.rules.yml").read_text()
        for was, becomes in (("agentd_plugins{state=\"failed\"} > 0", "agentd_plugins{state=\"broken\"} > 0"), ("> 0.8 < 0.95", "> 0.5 < 0.95"), ("== 0\n        for: 1m", "== 0\n        for: 9m")):
            self.assertIn(was, text)
            (reader.here / "agentd.rules.yml").write_text(text.replace(was, becomes))
            with self.assertRaisesRegex(AssertionError, "FAILED"):
                reader.follow("promtool test rules agentd.rules.test.yml")


class Token(AgentdTest):
    def test_is_shown_to_a_host_that_asks_for_one(self):
        host = self.host('tokens = [{ name = "scraper", role = "metrics", token = "env:SCRAPER" }]\n')
        host.start(SCRAPER="0123456789abcdef")
        for token, seen in (("0123456789abcdef", 1), ("fedcba9876543210", 0)):
            folder = self.folder / f"seen-{seen}"
            folder.mkdir()
            with Prometheus(folder, f"0.0.0.0:{host.port}", token) as prometheus:  # leads to loopback, and is no name of it
                self.assertEqual([value for _, value in prometheus.query('up{job="agentd"}')], [seen])


if __name__ == "__main__":
    unittest.main()
