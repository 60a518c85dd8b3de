"""What examples/deploy/compose would start, as far as it can be looked at without a Docker."""
import os
import re
import subprocess
import unittest

import yaml

from agentd import AGENTD, PATIENCE, SOURCE, AgentdTest, Host, free_port, until
from postgres import Postgres
from readme import Reader, blocks
from venv_of import python_with

EXAMPLE = SOURCE / "examples" / "deploy" / "compose"
COMPOSE = yaml.safe_load((EXAMPLE / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
REQUIREMENTS = SOURCE / "tests" / "deploy" / "schema_requirements.txt"


def unfit(file):
    done = subprocess.run([python_with(REQUIREMENTS), SOURCE / "tests" / "deploy" / "fits.py", "compose", file], capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text)[1])


class Compose(AgentdTest):
    def test_is_as_the_compose_specification_says(self):
        self.assertEqual(unfit(EXAMPLE / "compose.yaml"), "")
        wrong = self.folder / "compose.yaml"
        wrong.write_text((EXAMPLE / "compose.yaml").read_text().replace("stop_grace_period: 40s", "stop_grace: 40s"))
        self.assertIn("'stop_grace' does not match", unfit(wrong))

    def test_names_what_there_is(self):
        for name, service in SERVICES.items():
            with self.subTest(name):
                self.assertRegex(service["image"], r"^[a-z]+(/[a-z]+)?(:[\w.]+)?$", "no registry is named")
                for mount in service.get("volumes", []):
                    source = mount.split(":")[0]
                    self.assertTrue((EXAMPLE / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], source)
                self.assertLessEqual(set(service["networks"]), set(COMPOSE["networks"]))
                self.assertLessEqual(set(service.get("secrets", [])), set(COMPOSE["secrets"]))
                for other, wanted in service.get("depends_on", {}).items():
                    self.assertEqual("healthcheck" in SERVICES[other], wanted["condition"] == "service_healthy", other)
                self.assertTrue(all(port.startswith("127.0.0.1:") for port in service.get("ports", [])))
        self.assertTrue((EXAMPLE / SERVICES["agentd"]["build"]["context"] / SERVICES["agentd"]["build"]["dockerfile"]).exists())

    def test_ends_no_step_of_agentd(self):
        shown = subprocess.run([AGENTD, "config", "show", "--config", EXAMPLE / "agentd.toml"], capture_output=True, text=True).stdout
        drain = re.search(r'host\.drain_timeout\s+"(\w+)"', shown)[1]
        self.assertGreater(seconds(SERVICES["agentd"]["stop_grace_period"]), seconds(drain))

    def test_is_watched_by_a_prometheus_that_understands_its_configuration(self):
        folder = self.folder / "prometheus"
        folder.mkdir()
        for source, place in (mount.split(":")[:2] for mount in SERVICES["prometheus"]["volumes"] if mount.startswith(".")):
            self.assertTrue(place.startswith("/etc/prometheus/"))
            (folder / place.rsplit("/", 1)[1]).write_text((EXAMPLE / source).read_text().replace("/run/secrets", str(folder)))
        (folder / "metrics_token").write_text("t")
        checked = subprocess.run(["promtool", "check", "config", folder / "prometheus.yml"], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        [job] = yaml.safe_load((folder / "prometheus.yml").read_text())["scrape_configs"]
        [target] = job["static_configs"][0]["targets"]
        self.assertIn(target.split(":")[0], SERVICES)

    def test_shows_the_dashboard_with_its_source(self):
        ours, theirs = (yaml.safe_load(file.read_text())["datasources"][0] for file in (EXAMPLE / "grafana.yml", SOURCE / "examples/deploy/grafana/provisioning/datasources/agentd.yml"))
        self.assertEqual({**theirs, "url": "http://prometheus:9090"}, ours)


class Contained(AgentdTest):
    """agentd with the environment and the files that its container has."""

    def setUp(self):
        super().setUp()
        self.reader = Reader(EXAMPLE, self.folder)
        self.commands = blocks(self.reader.readme)
        self.reader.follow(self.commands[0])
        self.env_file = dict(line.split("=", 1) for line in (self.reader.here / ".env").read_text().split())

    def environment(self, **places):
        """Of the service agentd, with .env put in, and its stores elsewhere."""
        def put_in(text):
            return re.sub(r"\$\{(\w+)(:\?[^}]*|:-)\}", lambda match: self.env_file[match[1]] if match[2] != ":-" else "", text)
        return {name: put_in(str(value)) for name, value in SERVICES["agentd"]["environment"].items()} | places

    def test_has_each_variable_from_the_commands_of_the_readme(self):
        wanted = set(re.findall(r"\$\{(\w+):\?", (EXAMPLE / "compose.yaml").read_text()))
        self.assertEqual(set(self.env_file), wanted)
        self.assertEqual(os.stat(self.reader.here / ".env").st_mode & 0o77, 0)
        self.assertEqual(self.reader.calls()[1], "docker compose up --detach --build --wait")

    def test_has_a_configuration_that_agentd_takes(self):
        config = self.reader.here / "agentd.toml"
        checked = subprocess.run([AGENTD, "check", "--config", config, "--state", self.folder / "state"], capture_output=True, text=True,
                                 env={"PATH": os.environ["PATH"], "AGENTD__API__LISTEN": "0.0.0.0:8765", **self.environment()})
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertNotIn("nothing in this configuration uses it", checked.stdout + checked.stderr)

    def test_runs_on_a_postgresql_and_copies_its_events_to_a_redis(self):
        database, port = self.enter(Postgres()), free_port()
        redis = subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", ""], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(redis.wait)
        self.addCleanup(redis.kill)
        host = self.enter(Host(self.reader.here))
        places = {"AGENTD__API__LISTEN": f"127.0.0.1:{host.port}", "AGENTD__HOST__STATE_DIR": str(self.folder / "state"), "REDIS_PORT": str(port), "QDRANT_PORT": str(free_port())}
        host.start(**self.environment(DATABASE_URL=database.url, REDIS_HOST="127.0.0.1", QDRANT_HOST="127.0.0.1"), **places)
        ran = subprocess.run([AGENTD, "agents", "run", "disk", "--wait"], capture_output=True, text=True, timeout=PATIENCE, env=host.environment(AGENTD_API_TOKEN=self.env_file["AGENTD_API_TOKEN"]))
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr + host.log())

        def copied():
            return subprocess.run(["redis-cli", "-p", str(port), "XRANGE", "background_agent_events", "-", "+"], capture_output=True, text=True).stdout
        until("the run's end is in Redis", lambda: "background_task_completed" in copied())


if __name__ == "__main__":
    unittest.main()
