"""What agents remember is found by meaning where there is an embedding model, by words alone where there is none or it fails; and agents have tools for it."""
import json
import unittest

from agentd import AgentdTest, Endpoint, openai, until

NEAR = """
[embedding]
provider = "openai"
model = "embed"
[stores.near]
plugin = "ram"
[memory]
store = "near"
"""
PRICE = '[providers.openai.prices."embed"]\ninput = 1000.0\noutput = 0.0\n'
ASKER = """
[model]
provider = "openai"
model = "test"
[task]
query = "Backup disk?"
"""
NO_WORD_IN_COMMON = "the archive drive is in rack 4"
MEANS = "drive=disk,archive=backup"
WORDS_ALONE = "recalled by words alone (full text)"


class ByMeaning(AgentdTest):
    def start(self, config=NEAR, asker=ASKER, **options):
        self.endpoint = self.enter(Endpoint(self.folder, bodies="yes", **options))
        self.agentd = self.host(openai(self.endpoint) + config, worker=asker)
        self.agentd.start()

    def memory(self, *arguments, **options):
        return self.agentd.cli("memory", *arguments, **options)

    def run_once(self):
        run_id = self.agentd.submit("worker")
        self.assertEqual(self.agentd.wait_run(run_id)["status"], "completed")
        return run_id, self.agentd.get(f"/v1/events?run={run_id}&type=background_task_started")["events"][0]["payload"]

    def metric(self, line):
        return next((float(row.split()[-1]) for row in self.agentd.request("GET", "/metrics")[1].splitlines() if row.startswith(line)), None)

    def test_what_means_the_same_is_found_and_a_run_is_told_of_it(self):
        self.start(PRICE + NEAR, means=MEANS)
        self.assertEqual(self.metric('agentd_model_calls_total{model="embed",outcome="ok",provider="openai"}'), 0)
        self.memory("add", "worker", NO_WORD_IN_COMMON, "--key", "rack")
        self.memory("add", "worker", "pears are ripe in autumn")
        found = self.agentd.get("/v1/memory/worker?query=backup%20disk")
        self.assertEqual([entry["text"] for entry in found["entries"]], [NO_WORD_IN_COMMON])
        self.assertNotIn("by_words_alone", found)
        run_id, started = self.run_once()
        asked = json.loads(self.endpoint.journal("asked")[0]["body"])["messages"]
        self.assertTrue(any("rack 4" in str(message["content"]) for message in asked), asked)
        self.assertFalse(any("pears" in str(message["content"]) for message in asked), asked)
        self.assertEqual(started["embedding"], {"provider": "openai", "model": "embed", "tokens": 2, "cost": 0.002})
        self.assertEqual(self.agentd.get(f"/v1/runs/{run_id}")["usage"]["cost"], 0.002)
        self.assertEqual(self.metric('agentd_model_calls_total{model="embed",outcome="ok",provider="openai"}'), 4)
        self.assertAlmostEqual(self.metric('agentd_cost_usd_total{agent="worker",model="embed"}'), 0.016)
        self.run_once()
        self.assertEqual(len(self.endpoint.journal("embedded")), 4, "the same query is not embedded again")

    def test_an_embedding_that_fails_stops_nothing_and_is_told(self):
        self.start(embeddings="401")
        added = self.memory("add", "worker", "the backup disk is in rack 4")
        self.assertRegex(added.stderr, r'^note: it is found by words alone: model embed of provider "openai" gave no vectors: the endpoint answered 401')
        self.assertIn("note: it was looked for by words alone", self.memory("search", "worker", "disk").stderr)
        _, started = self.run_once()
        self.assertIn("gave no vectors", started["embedding"]["error"])
        asked = json.loads(self.endpoint.journal("asked")[0]["body"])["messages"]
        self.assertTrue(any("rack 4" in str(message["content"]) for message in asked), asked)
        self.assertEqual(self.metric('agentd_model_calls_total{model="embed",outcome="error",provider="openai"}'), 1)
        self.assertEqual(len(self.endpoint.journal("embedded")), 1, "who refuses the account is left alone for a while")
        self.assertIn("gave no vectors of embed: the endpoint answered 401", self.agentd.log())

    def test_what_cannot_be_is_said(self):
        endpoint = self.endpoint()
        (self.folder / "script.toml").write_text('agent = [{ step = [{ say = "x" }] }]\n')
        played = '[providers.played]\nplugin = "script"\nfile = "script.toml"\n'
        other = '[stores.words]\nplugin = "redis"\nhost = "127.0.0.1"\n[memory]\nstore = "words"\n'
        for config, code, said in (('[embedding]\nprovider = "opnai"\nmodel = "m"\n', 2, r'agentd\.toml:\d+:12: no provider "opnai": there is no \[providers\.opnai\]; did you mean "openai"\?'),
                                   (played + '[embedding]\nprovider = "played"\nmodel = "m"\n', 2, r'agentd\.toml:\d+:12: provider "played" embeds nothing: its plugin "script" offers completions alone'),
                                   ('[embedding]\nprovider = "openai"\nmodel = ""\n', 2, r"agentd\.toml:\d+:9: "),
                                   ('[embedding]\nprovider = "openai"\n', 2, '"model" is missing'),
                                   (other + '[embedding]\nprovider = "openai"\nmodel = "m"\n', 0, r'note: store "words" keeps no vectors: what is remembered there is ' + WORDS_ALONE.replace("(", r"\(").replace(")", r"\)")),
                                   (NEAR, 0, r"(^|\n)ok\n$")):
            with self.subTest(config):
                done = self.host(openai(endpoint) + config, worker=ASKER).cli("check", "--config", "agentd.toml", check=False)
                self.assertEqual(done.returncode, code, done.stdout)
                self.assertRegex(done.stdout, said)

    def test_a_start_without_an_embedding_model_says_so_once(self):
        self.start("")
        self.assertEqual(self.agentd.log().count(f"what agents remember is {WORDS_ALONE}: there is no [embedding]"), 1)


class Tools(AgentdTest):
    def test_an_agent_saves_finds_and_forgets_what_is_its_own(self):
        (self.folder / "script.toml").write_text("""
[[agent]]
match = "save"
[[agent.step]]
call = [{ tool = "memory.save", arguments = { text = "the backup disk is in rack 4", key = "disk" } }, { tool = "memory.save", arguments = { text = "first look, then write", type = "procedural" } }]
[[agent.step]]
call = [{ tool = "memory.search", arguments = { query = "backup" } }]
[[agent.step]]
say = "{{memory.search/entries/0/id}}"
[[agent]]
match = "forget"
[[agent.step]]
call = [{ tool = "memory.forget", arguments = { id = "saved:disk" } }]
[[agent.step]]
call = [{ tool = "memory.forget", arguments = { id = "note:mine" } }]
[[agent.step]]
say = "Done."
""")
        asker = '[model]\nprovider = "played"\nmodel = "m"\n[task]\nquery = "save"\n[memory]\nrecall = 0\nwindow = 0\n[tools]\nallow = ["memory.*"]\n'
        agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n', worker=asker, other=asker)
        agentd.start()
        agentd.cli("memory", "add", "worker", "what a person said", "--key", "mine")
        run = agentd.wait_run(agentd.submit("worker"))
        self.assertEqual((run["status"], run["result"]), ("completed", "saved:disk"), run)
        entries = {entry["id"]: entry for entry in agentd.get("/v1/memory/worker")["entries"] if entry["type"] != "episodic"}
        self.assertEqual(sorted(entries), ["note:mine", f"saved:{run['run_id']}/1/1", "saved:disk"])
        self.assertEqual(entries[f"saved:{run['run_id']}/1/1"]["type"], "procedural")
        self.assertEqual(entries["saved:disk"]["value"], {"by": "agent", "run": run["run_id"]})
        run = agentd.wait_run(agentd.submit("worker", query="forget"))
        outcomes = [event["payload"]["outcome"] for event in agentd.get(f"/v1/events?run={run['run_id']}&type=tool_call_completed")["events"]]
        self.assertEqual(outcomes, ["ok", "error"])
        self.assertEqual([entry["id"] for entry in agentd.get("/v1/memory/worker?type=long_term")["entries"]], ["note:mine"])
        self.assertEqual(agentd.get("/v1/memory/other")["entries"], [])
        self.assertIn("called in an agent's run", agentd.cli("tools", "call", "memory.search", '{"query": "x"}', "--config", "agentd.toml", check=False).stderr)

    def test_a_save_that_a_death_cut_short_is_made_once(self):
        arguments = json.dumps({"text": NO_WORD_IN_COMMON})
        options = {"bodies": "yes", "tool": "memory__save", "arguments": arguments}
        dying = Endpoint(self.folder, embeddings="hang", **options)
        agentd = self.host(openai(dying) + NEAR, worker=ASKER + '[memory]\nrecall = 0\n[tools]\nallow = ["memory.save"]\n')
        agentd.start()
        run_id = agentd.submit("worker")
        until("the text that is saved waits for its vector", lambda: dying.journal("embedded"))
        agentd.kill()
        dying.__exit__()
        self.enter(Endpoint(self.folder, port=dying.port, **options))
        agentd.start()
        self.assertEqual(agentd.wait_run(run_id)["status"], "completed")
        entries = [(entry["id"], entry["text"]) for entry in agentd.get("/v1/memory/worker?type=long_term")["entries"]]
        self.assertEqual(entries, [(f"saved:{run_id}/1/0", NO_WORD_IN_COMMON)])


if __name__ == "__main__":
    unittest.main()
