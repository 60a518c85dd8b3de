"""The objects of examples/deploy/kubernetes, and a host as its pods would have it, without a cluster."""
import os
import re
import subprocess
import unittest

import yaml

from agentd import AGENTD, PATIENCE, SOURCE, AgentdTest, Host, until
from postgres import Postgres
from readme import Reader, blocks
from venv_of import python_with

EXAMPLE = SOURCE / "examples" / "deploy" / "kubernetes"
OBJECTS = list(yaml.safe_load_all((EXAMPLE / "agentd.yaml").read_text()))
SECRET = yaml.safe_load((EXAMPLE / "secret.yaml").read_text())
CONFIG, AGENTS = (one["data"] for one in OBJECTS if one["kind"] == "ConfigMap")
REQUIREMENTS = SOURCE / "tests" / "deploy" / "schema_requirements.txt"
TOKEN = "0123456789abcdef"


def the(kind):
    [found] = [one for one in OBJECTS if one["kind"] == kind]
    return found


POD = the("Deployment")["spec"]["template"]
[CONTAINER] = POD["spec"]["containers"]


def unfit(version, file):
    done = subprocess.run([python_with(REQUIREMENTS), SOURCE / "tests" / "deploy" / "fits.py", "kubernetes", version, file], capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return done.stdout


class Objects(AgentdTest):
    def test_are_as_kubernetes_says_from_the_oldest_to_the_newest(self):
        for version in ("1.25", "1.37"):
            for file in ("agentd.yaml", "secret.yaml"):
                with self.subTest(file, version=version):
                    self.assertEqual(unfit(version, EXAMPLE / file), "")
        wrong = self.folder / "wrong.yaml"
        wrong.write_text((EXAMPLE / "agentd.yaml").read_text().replace("terminationGracePeriodSeconds", "terminationGracePeriod"))
        self.assertIn("Deployment: ", unfit("1.37", wrong))

    def test_name_each_other(self):
        labels = POD["metadata"]["labels"]
        for kind, selector in (("Deployment", the("Deployment")["spec"]["selector"]["matchLabels"]), ("Service", the("Service")["spec"]["selector"]),
                               ("PodDisruptionBudget", the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"])):
            self.assertEqual(selector, labels, kind)
        self.assertIn(the("Service")["spec"]["ports"][0]["targetPort"], [port["name"] for port in CONTAINER["ports"]])
        self.assertEqual([source["secretRef"]["name"] for source in CONTAINER["envFrom"]], [SECRET["metadata"]["name"]])
        maps = {one["metadata"]["name"] for one in OBJECTS if one["kind"] == "ConfigMap"}
        self.assertEqual({volume["configMap"]["name"] for volume in POD["spec"]["volumes"] if "configMap" in volume}, maps)
        self.assertEqual({mount["name"] for mount in CONTAINER["volumeMounts"]}, {volume["name"] for volume in POD["spec"]["volumes"]})
        self.assertNotIn("/", CONTAINER["image"], "no registry is named")

    def test_lose_no_step_and_no_replica(self):
        drain = int(re.search(r'drain_timeout = "(\d+)s"', CONFIG["agentd.toml"])[1])
        self.assertGreater(POD["spec"]["terminationGracePeriodSeconds"], drain)
        wanted = the("Deployment")["spec"]["replicas"]
        self.assertIn(f"replicas = {wanted}\n", CONFIG["agentd.toml"])
        self.assertEqual(the("PodDisruptionBudget")["spec"]["minAvailable"], wanted - 1)
        self.assertEqual(the("Deployment")["spec"]["strategy"]["rollingUpdate"], {"maxUnavailable": 0, "maxSurge": 1})

    def test_may_do_little(self):
        image_user = re.search(r"^USER (\d+)", (SOURCE / "examples/deploy/docker/Dockerfile").read_text(), re.M)[1]
        self.assertEqual(str(POD["spec"]["securityContext"]["runAsUser"]), image_user)
        self.assertTrue(POD["spec"]["securityContext"]["runAsNonRoot"] and CONTAINER["securityContext"]["readOnlyRootFilesystem"])
        self.assertFalse(POD["spec"]["automountServiceAccountToken"] or POD["spec"]["enableServiceLinks"] or CONTAINER["securityContext"]["allowPrivilegeEscalation"])

    def test_are_watched_by_a_prometheus_that_understands_its_configuration(self):
        config = yaml.safe_load((EXAMPLE / "prometheus.yml").read_text())
        [job] = config["scrape_configs"]
        del job["kubernetes_sd_configs"]  # which Debian's is built without
        (self.folder / "agentd.rules.yml").write_text((SOURCE / "examples/deploy/prometheus/agentd.rules.yml").read_text())
        (self.folder / "agentd.token").write_text("t")
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        checked = subprocess.run(["promtool", "check", "config", self.folder / "prometheus.yml"], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        name, port = job["relabel_configs"][0]["regex"].split(";")
        self.assertEqual((POD["metadata"]["labels"]["app.kubernetes.io/name"], CONTAINER["ports"][0]["name"]), (name, port))

    def test_are_applied_by_the_commands_of_the_readme(self):
        reader = Reader(EXAMPLE, self.folder)
        reader.stand_in("kubectl", f'echo "kubectl $*" >>"{reader.called}"')
        [commands] = blocks(reader.readme)
        reader.follow(commands)
        applied = [word for call in reader.calls() for word in call.split() if word.endswith(".yaml")]
        self.assertEqual(applied, ["secret.yaml", "agentd.yaml"])


class Pod(AgentdTest):
    """A host with what a pod has, in folders of the test."""

    def setUp(self):
        super().setUp()
        self.agents = self.folder / "agents"
        self.agents.mkdir()
        self.number = 0
        self.put_agents(AGENTS)
        (self.folder / "agentd.toml").write_text(CONFIG["agentd.toml"])

    def put_agents(self, files):
        """The way nodes do it: files are links through ..data, which is changed in one rename."""
        self.number += 1
        version = self.agents / f"..2026_{self.number}"
        version.mkdir()
        for name, text in files.items():
            (version / name).write_text(text)
        fresh = self.agents / "..data_tmp"
        fresh.symlink_to(version.name)
        os.rename(fresh, self.agents / "..data")
        for name in files:
            link = self.agents / name
            if not link.is_symlink():
                link.symlink_to(f"..data/{name}")

    def environment(self, host, url):
        values = dict.fromkeys(SECRET["stringData"], "a key of nobody") | {"DATABASE_URL": url, "AGENTD_API_TOKEN": TOKEN, "AGENTD_METRICS_TOKEN": TOKEN[::-1]}
        return values | {"AGENTD__API__LISTEN": f"0.0.0.0:{host.port}"}

    def probe(self, host, kind):
        program, *arguments = CONTAINER[kind + "Probe"]["exec"]["command"]
        self.assertEqual(program, "agentd-healthy")
        return subprocess.run([SOURCE / "examples/deploy/docker/healthy", *arguments], capture_output=True, timeout=PATIENCE, env={**os.environ, "AGENTD__API__LISTEN": f"0.0.0.0:{host.port}"}).returncode == 0

    def test_has_a_configuration_that_agentd_takes(self):
        host = Host(self.folder)
        checked = subprocess.run([AGENTD, "check", "--config", self.folder / "agentd.toml", "--state", self.folder / "state"], capture_output=True, text=True,
                                 env={"PATH": os.environ["PATH"], **self.environment(host, "postgres://u@h/d")})
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_starts_and_drains_as_its_probes_ask_and_takes_a_changed_config_map(self):
        database = self.enter(Postgres())
        host = self.enter(Host(self.folder))
        volume = self.folder / "volume"  # an emptyDir with fsGroup
        volume.mkdir()
        volume.chmod(0o2777)
        state = CONTAINER["args"][CONTAINER["args"].index("--state") + 1].replace("/var/lib/agentd", str(volume))
        self.assertFalse(self.probe(host, "startup"))
        host.start(AGENTD__HOST__STATE_DIR=state, **self.environment(host, database.url))
        for kind in ("startup", "readiness", "liveness"):
            self.assertTrue(self.probe(host, kind), kind)
        self.assertEqual(os.stat(state).st_mode & 0o777, 0o700)

        def agents():
            told = subprocess.run([AGENTD, "agents", "list"], capture_output=True, text=True, timeout=PATIENCE, env=host.environment(AGENTD_API_TOKEN=TOKEN))
            self.assertEqual(told.returncode, 0, told.stderr)
            return told.stdout
        self.assertIn("morning", agents())
        self.put_agents({**AGENTS, "evening.toml": AGENTS["morning.toml"].replace("morning", "evening")})
        until("the agent that came with the ConfigMap is there", lambda: "evening" in agents(), pause=0.2)
        self.put_agents({**AGENTS, "evening.toml": AGENTS["morning.toml"].replace("morning", "evening").replace('"0 8 * * MON-FRI"', '"0 20 * * MON-FRI"')})
        until("the changed agent is in force", lambda: "0 20 * * MON-FRI" in self.shown(host), pause=0.2)
        self.assertEqual(host.stop(), 0)
        self.assertFalse(self.probe(host, "readiness"))

    def shown(self, host):
        return subprocess.run([AGENTD, "agents", "show", "evening", "--json"], capture_output=True, text=True, timeout=PATIENCE, env=host.environment(AGENTD_API_TOKEN=TOKEN)).stdout


if __name__ == "__main__":
    unittest.main()
