"""The names, types and labels of metrics are a contract: a host shows what stands in metrics.golden, all of it and nothing else."""
import itertools
import pathlib
import re
import subprocess
import unittest

from agentd import until
from exposition import families
from fleet import EVERY_SECOND, FleetTest, agent

GOLDEN = pathlib.Path(__file__).with_name("metrics.golden")


def golden():
    """{name: (type, {label: its values that are known, or nothing})}"""
    found = {}
    for line in GOLDEN.read_text().splitlines():
        if not line.startswith("#"):
            name, kind, *labels = line.split()
            split = (re.fullmatch(r"(\w+)(?:\{(.*)\})?", label).groups() for label in labels)
            found[name] = kind, {label: values.split("|") if values else None for label, values in split}
    return found


class Metrics(FleetTest):
    def test_are_those_of_the_golden_list(self):
        host = self.fleet()
        host.start()
        self.stir(host)
        until("an agent has completed a run", lambda: "agentd_agent_last_completed_timestamp_seconds{" in self.scrape(host))
        text = self.scrape(host)
        shown = {name: (family.kind, family.label_names()) for name, family in families(text).items()}
        wanted = {name: (kind, set(labels)) for name, (kind, labels) in golden().items() if kind != "-"}
        self.assertEqual(shown, wanted)
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_begin_with_0_for_whatever_is_known(self):
        host = self.fleet(quiet=agent(), slow=agent(more='[schedule]\ninterval = "1h"\n'))
        host.start()
        shown = families(self.scrape(host))
        self.assertEqual(shown["agentd_runs_total"].values("agent"), {"quiet", "slow"})
        self.assertEqual(shown["agentd_tool_calls_total"].values("tool"), {"system.load", "fs.write_file", "unknown"})
        self.assertEqual(shown["agentd_deliveries_total"].values("sink"), {"here"})
        self.assertEqual(shown["agentd_cost_usd_total"].values("agent"), {"quiet", "slow"})
        self.assertEqual(shown["agentd_alerts_raised_total"].values("rule"), shown["agentd_alerts_firing"].values("rule"))
        self.assertLess({"/v1/runs", "/v1/agents/{id}/runs", "/metrics"}, shown["agentd_http_request_duration_seconds"].values("route"))
        for name, (kind, labels) in golden().items():
            known = {label: values for label, values in labels.items() if values}
            if not known or kind == "-":
                continue
            family = shown[name]
            others = {tuple(sorted((label, value) for label, value in sample.labels.items() if label not in known and label != "le")) for sample in family.samples}
            wanted = {other + tuple(zip(known, values)) for other in others for values in itertools.product(*known.values())}
            self.assertEqual({tuple(sorted(pair)) for pair in wanted},
                             {tuple(sorted((label, value) for label, value in sample.labels.items() if label != "le")) for sample in family.samples}, name)
            if kind == "counter":
                self.assertEqual({sample.value for sample in family.samples}, {0}, name)

    def test_know_the_last_completed_run_after_a_restart_and_nothing_of_an_agent_that_is_gone(self):
        def completed(agent_id):
            family = families(self.scrape(host)).get("agentd_agent_last_completed_timestamp_seconds")
            return {sample.labels["agent"]: sample.value for sample in family.samples}.get(agent_id) if family else None

        host = self.fleet(steady=agent(), never=agent(more=EVERY_SECOND))
        host.start()
        until("it is known that it never did", lambda: completed("steady") == 0)
        host.wait_run(host.submit("steady"))
        at = completed("steady")
        self.assertGreater(at, 1.7e9)
        host.stop()
        host.start()
        until("it is known", lambda: completed("steady") is not None)
        self.assertEqual(completed("steady"), at)
        (host.folder / "agents" / "never.toml").unlink()
        until("its gauges are gone", lambda: not any(line.startswith(("agentd_agent_", "agentd_queue_")) and 'agent="never"' in line for line in self.scrape(host).splitlines()))


if __name__ == "__main__":
    unittest.main()
