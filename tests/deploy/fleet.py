"""A small fleet in which everything that is measured happens within seconds: runs that complete and fail, tools, retries, costs, a budget
that is used up, a call that waits for a person, a run in quarantine, a slot that a gate closes, a plugin that is broken."""

from agentd import TEST_PLUGINS, AgentdTest

CONFIG = """
[providers.played]
plugin = "script"
file = "script.toml"
[providers.played.prices.priced]
input = 1000
output = 1000
[providers.away]
plugin = "openai"
base_url = "http://127.0.0.1:9/v1"
[providers.away.prices.m]
input = 1
output = 1
[toolsets.fs]
roots = ["files"]
[stores.copy]
plugin = "jsonl"
path = "events.jsonl"
[events]
stores = ["copy"]
[sinks.here]
kind = "file"
path = "told.jsonl"
[budget]
cost_per_day = 100.0
"""

SCRIPT = """
agent = [
  { name = "publisher", step = [{ call = [{ tool = "fs.write_file", arguments = { path = "a.txt", text = "A" } }] }, { say = "Written." }] },
  { name = "thrifty", step = [LOOKS{ say = "The load is {{system.load/load1}}." }] },
  { match = "fall silent", step = [{ choose = [{ when = { value = "{{nothing}}" }, say = "" }] }] },
  { step = [{ call = [{ tool = "system.load" }] }, { say = "The load is {{system.load/load1}}." }] },
]
""".replace("LOOKS", '{ call = [{ tool = "system.load" }] }, ' * 6)

AGENT = """
[model]
provider = "played"
model = "priced"
max_output_tokens = 100
[task]
query = "{query}"
{task}
[tools]
allow = ["system.load"]
ask = ["fs.write_file"]
[memory]
session = "run"
"""


def agent(query="How busy is this machine?", task="", more=""):
    return AGENT.format(query=query, task=task) + more


EVERY_SECOND = '[schedule]\ninterval = "1s"\n'
AGENTS = {
    "steady": agent(more=EVERY_SECOND + '[limits]\ncost_per_day = 50.0\n[[deliver]]\nsinks = ["here"]\non = ["completed"]\n'),
    "failing": agent("fall silent", more=EVERY_SECOND + '[retry]\nmax_retries = 0\n[alerts]\nconsecutive_failures = 2\nsinks = ["here"]\n'),
    "retried": '[model]\nprovider = "away"\nmodel = "m"\n[task]\nquery = "Is anybody there?"\n' + EVERY_SECOND,
    "thrifty": agent(more='[limits]\ntokens_per_day = 5000\n' + EVERY_SECOND),
    "publisher": agent("Publish the report."),
    "items": agent("fall silent", more='[retry]\nmax_retries = 0\n'),
    "gated": agent(more='[schedule]\ninterval = "1s"\n[gate]\nnative = "changed_files"\nparams = { roots = ["FOLDER"] }\n'),
}


class FleetTest(AgentdTest):
    def fleet(self, config="", **agents):
        """The host of the fleet, not yet started."""
        broken = self.folder / "more_plugins"
        broken.mkdir()
        (broken / "broken.so").write_text("no library")
        (self.folder / "files").mkdir()
        (self.folder / "script.toml").write_text(SCRIPT)
        host = self.host(CONFIG + config, **{name: text.replace("FOLDER", str(self.folder / "files")) for name, text in (agents or AGENTS).items()})
        settings = self.folder / "agentd.toml"
        settings.write_text(settings.read_text().replace(f'plugin_dirs = ["{TEST_PLUGINS}"]', 'plugin_dirs = ["more_plugins"]'))
        return host

    def stir(self, host):
        """What no schedule brings: a call that waits for a person, and an item of a batch that is given up."""
        host.submit("publisher")
        (self.folder / "items.jsonl").write_text('{"key": "a"}\n')
        host.cli("batch", "submit", "items", "items.jsonl", "--name", "once", check=False)  # what it comes to is no success

    def scrape(self, host):
        status, text = host.request("GET", "/metrics")
        self.assertEqual(status, 200)
        return text
