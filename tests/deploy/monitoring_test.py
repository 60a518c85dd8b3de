"""A real Prometheus watches a real fleet with the example's configuration: each panel of the Grafana dashboard has data, alerts say what
to do in whole sentences, and each command they name is one."""
import json
import math
import re
import shlex
import unittest

from agentd import SOURCE, until
from fleet import FleetTest
from prometheus import Prometheus

DASHBOARD = json.loads((SOURCE / "examples" / "deploy" / "grafana" / "agentd.json").read_text())
# What Grafana puts in for a dashboard that shows the last minute.
GRAFANA = {"$__rate_interval": "10s", "$__range": "1m", "$instance": ".*", "$agent": ".*", "$job": ".*"}
# What alerts leave to whoever reads them.
PLACEHOLDERS = {"AGENT": "steady", "RUN": "1-0000000", "CALL": "1-0000000/1/0", "SCOPE": "agent:steady", "AMOUNT": "1.00"}


def queries():
    """(panel, expression) of every panel."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for name, value in GRAFANA.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression


class Monitoring(FleetTest):
    def test_shows_and_says_what_happens(self):
        host = self.fleet()
        host.start()
        self.stir(host)
        prometheus = self.enter(Prometheus(self.folder, f"127.0.0.1:{host.port}"))
        self.every_panel_has_data(prometheus)
        self.every_variable_has_values(prometheus)
        self.alerts_are_rendered(prometheus)
        self.commands_of_alerts_are_understood(host, prometheus)

    def every_panel_has_data(self, prometheus):
        def without_data():
            return [what for what in queries() if not any(math.isfinite(value) for _, value in prometheus.query(what[1]))]
        try:
            until("every panel has data", lambda: not without_data(), pause=1)
        except AssertionError:
            self.fail(f"no data: {without_data()}")

    def every_variable_has_values(self, prometheus):
        for variable in DASHBOARD["templating"]["list"]:
            if variable["type"] == "query":
                metric, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]).groups()
                for name, value in GRAFANA.items():
                    metric = metric.replace(name, value)
                self.assertTrue(prometheus.ask(f"label/{label}/values", **{"match[]": metric}), variable["name"])

    def alerts_are_rendered(self, prometheus):
        wanted = {"AgentdAgentFailing", "AgentdBudgetRunningOut", "AgentdPluginBroken", "AgentdApprovalsPending", "AgentdRunsQuarantined"}
        alerts = until("the fleet's alerts are there", lambda: (found := prometheus.ask("alerts")["alerts"]) and wanted <= {alert["labels"]["alertname"] for alert in found} and found, pause=0.5)
        for alert in alerts:
            for text in alert["annotations"].values():
                self.assertNotRegex(text, r"<no value>|<error|\{\{|  |%!")
        said = {(alert["labels"]["alertname"], alert["labels"].get("agent")): alert["annotations"]["summary"] for alert in alerts}
        self.assertRegex(said["AgentdAgentFailing", "failing"], r"^most runs of failing at 127\.0\.0\.1:\d+ fail$")
        self.assertRegex(said["AgentdBudgetRunningOut", "thrifty"], r"^8\d(\.\d+)?% of the day's tokens of thrifty is used$")
        self.assertRegex(said["AgentdPluginBroken", None], r"^1 plugin files of 127\.0\.0\.1:\d+ could not be loaded$")

    def commands_of_alerts_are_understood(self, host, prometheus):
        commands = set()
        for group in prometheus.ask("rules")["groups"]:
            for rule in group["rules"]:
                commands |= set(re.findall(r"`(agentd [^`]*)`", rule["annotations"]["description"]))
        self.assertGreater(len(commands), 15)
        for command in commands:
            words = shlex.split(re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda label: {"disposition": "dropped"}.get(label[1], "steady"), command))
            done = host.cli(*[PLACEHOLDERS.get(word, word) for word in words[1:]], check=False)
            wrong_usage = done.returncode == 2 and words[1] != "check"
            self.assertFalse(wrong_usage, f"{command}\n{done.stderr}")


if __name__ == "__main__":
    unittest.main()
