"""The dashboard of examples/deploy/grafana, without a Grafana: its JSON has Grafana's types, its queries are PromQL, and its panels are whole."""
import json
import pathlib
import re
import shutil
import subprocess
import unittest

import yaml

from agentd import BUILD, PATIENCE, SOURCE, AgentdTest
from monitoring_test import DASHBOARD, queries
from readme import Reader, blocks

EXAMPLE = SOURCE / "examples" / "deploy" / "grafana"
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
GRAFANA_TYPES = BUILD / "tests" / "grafana_types"  # kept between runs


def place(panel):
    grid = panel["gridPos"]
    return {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}


class Dashboard(AgentdTest):
    def test_has_the_types_of_grafana(self):
        GRAFANA_TYPES.mkdir(parents=True, exist_ok=True)
        wanted = pathlib.Path(__file__).with_name("package.json")
        have = GRAFANA_TYPES / "package.json"
        if not have.exists() or have.read_text() != wanted.read_text():
            shutil.rmtree(GRAFANA_TYPES / "node_modules", ignore_errors=True)
            installed = self.folder / "types"
            installed.mkdir()
            shutil.copy(wanted, installed)
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], cwd=installed, capture_output=True, text=True, timeout=PATIENCE * 5)
            self.assertEqual(done.returncode, 0, done.stderr)
            shutil.move(installed / "node_modules", GRAFANA_TYPES)
            shutil.copy(wanted, have)

        def problems(dashboard):
            (GRAFANA_TYPES / "dashboard.ts").write_text(f"import type {{ Dashboard }} from '@grafana/schema';\nconst d: Dashboard = {json.dumps(dashboard)};\n")
            return subprocess.run(["node", "node_modules/typescript/bin/tsc", *"--noEmit --strict --skipLibCheck --module esnext --moduleResolution bundler --target es2022".split(), "dashboard.ts"],
                                  cwd=GRAFANA_TYPES, capture_output=True, text=True, timeout=PATIENCE * 5).stdout
        self.assertEqual(problems(DASHBOARD), "")
        self.assertIn("is not assignable to type", problems({**DASHBOARD, "editable": "yes"}))

    def test_asks_in_promql(self):
        rules = self.folder / "queries.yml"
        rules.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": [{"record": f"panel:{number}", "expr": expression} for number, (_, expression) in enumerate(queries())]}]}))
        checked = subprocess.run(["promtool", "check", "rules", str(rules)], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertIn(f"SUCCESS: {len(list(queries()))} rules found", checked.stdout)

    def test_explains_each_panel(self):
        self.assertGreater(len(PANELS), 30)
        for panel in PANELS:
            with self.subTest(panel["title"]):
                self.assertRegex(panel["description"], r"\.$")
                self.assertTrue(panel["targets"])
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                for target in panel["targets"]:
                    self.assertTrue(target["legendFormat"])
                    self.assertEqual(target["datasource"], {"type": "prometheus", "uid": "${datasource}"})
        titles = [panel["title"] for panel in DASHBOARD["panels"]]
        self.assertEqual(len(titles), len(set(titles)))

    def test_asks_only_of_the_hosts_that_are_chosen(self):
        for panel in PANELS:
            for target in panel["targets"]:
                for selector in re.findall(r"(?:agentd|process)_\w+(\{[^}]*\})?", target["expr"]):
                    self.assertIn('instance=~"$instance"', selector, panel["title"])

    def test_lays_its_rows_out_without_overlaps(self):
        rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
        self.assertEqual(rows, ["Fleet at a glance", "Runs", "Models and cost", "Tools", "Schedule", "Ledger", "Host"])
        taken = set()
        for panel in DASHBOARD["panels"]:
            self.assertLessEqual(panel["gridPos"]["x"] + panel["gridPos"]["w"], 24)
            self.assertFalse(taken & place(panel), panel["title"])
            taken |= place(panel)
        height = max(y for _, y in taken) + 1
        self.assertEqual(taken, {(x, y) for x in range(24) for y in range(height)}, "no hole")
        ids = [panel["id"] for panel in DASHBOARD["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_is_installed_where_it_is_looked_for(self):
        reader = Reader(EXAMPLE, self.folder)
        [install] = blocks(reader.readme)
        reader.follow(install)
        provider = yaml.safe_load((reader.root / "etc/grafana/provisioning/dashboards/agentd.yml").read_text())["providers"][0]
        found = list((reader.root / provider["options"]["path"].lstrip("/")).glob("*.json"))
        self.assertEqual([json.loads(file.read_text())["uid"] for file in found], ["agentd"])
        source = yaml.safe_load((reader.root / "etc/grafana/provisioning/datasources/agentd.yml").read_text())["datasources"][0]
        interval = yaml.safe_load((SOURCE / "examples/deploy/prometheus/prometheus.yml").read_text())["global"]["scrape_interval"]
        self.assertEqual((source["type"], source["jsonData"]["timeInterval"]), ("prometheus", interval))
        self.assertEqual(reader.calls(), ["systemctl restart grafana-server"])


if __name__ == "__main__":
    unittest.main()
