"""What runs leave for later ones: a running summary of the session, and lessons, made by runs of their own."""
import unittest

from agentd import AgentdTest, until

SCRIPT = """
[[agent]]
match = "Summary so far"
[[agent.step]]
say = "The backup disk was asked for."
[[agent]]
match = "[task]"
[[agent.step]]
say = '{"memories": [{"type": "long_term", "text": "The backup disk is in rack 4"}, {"type": "procedural", "text": "For the disk look into the inventory"}]}'
[[agent]]
[[agent.step]]
say = "It is in rack 4."
"""
PLAYED = '[providers.played]\nplugin = "script"\nfile = "script.toml"\n'
ASKER = '[model]\nprovider = "played"\nmodel = "m"\n[task]\nquery = "Where is the backup disk?"\n[memory]\n'
AGENT_ALONE = {"manual", "api"}


class Learning(AgentdTest):
    def start(self, memory, config="", script=SCRIPT):
        (self.folder / "script.toml").write_text(script)
        self.agentd = self.host(PLAYED + config, worker=ASKER + memory)
        self.agentd.start()

    def run_once(self):
        run = self.agentd.wait_run(self.agentd.submit("worker"))
        self.assertEqual(run["status"], "completed", run)
        return run

    def digests(self, what):
        runs = self.agentd.get("/v1/runs?agent=worker&limit=100")["runs"]
        return [run for run in runs if run["trigger"] == "memory" and run["digest"]["what"] == what]

    def done(self, what, number):
        until(f"{number} of {what} are made", lambda: sum(run["status"] == "completed" for run in self.digests(what)) == number)
        return self.digests(what)[0]

    def entries(self, type):
        return self.agentd.get(f"/v1/memory/worker?type={type}")["entries"]

    def test_a_run_leaves_what_later_ones_are_told(self):
        self.start('learn = ["long_term", "procedural"]\n')
        first = self.run_once()
        digest = self.done("lessons", 1)
        self.assertEqual(digest["digest"]["of"], first["run_id"])
        [fact] = self.entries("long_term")
        self.assertEqual(fact["text"], "The backup disk is in rack 4")
        self.assertEqual(fact["value"], {"by": "learning", "run": first["run_id"], "uses": 0, "used_by": "", "learned": 1, "learned_of": first["run_id"]})
        self.assertEqual([entry["text"] for entry in self.entries("procedural")], ["For the disk look into the inventory"])
        for path in ("retry", "replay"):
            self.assertEqual(self.agentd.request("POST", f"/v1/runs/{digest['run_id']}/{path}", {})[0], 409, "it would do the agent's own task")
        for body in ({"key": "memory:1/lessons"}, {"session_id": "summary/worker"}):
            self.assertEqual(self.agentd.request("POST", "/v1/agents/worker/runs", body)[0], 422)
        second = self.run_once()
        self.done("lessons", 2)
        [fact] = self.entries("long_term")
        self.assertEqual((fact["value"]["uses"], fact["value"]["learned"]), (1, 2))
        self.assertEqual(len(self.entries("procedural")), 1)
        listed = {agent["agent_id"]: agent for agent in self.agentd.get("/v1/agents")["agents"]}["worker"]
        self.assertEqual(listed["run_count"], 2, "runs for memory are none of the agent's own")
        self.assertIn("rack 4", self.agentd.cli("memory", "search", "worker", "backup disk").stdout)

    def test_a_session_is_summarized_beyond_its_window(self):
        self.start("summarize = true\nwindow = 4\n")
        for _ in range(3):
            self.run_once()
        self.done("summary", 1)
        self.agentd.stop()
        self.agentd.start()
        self.run_once()
        sessions = {entry["session_id"]: entry["text"] for entry in self.entries("episodic")}
        self.assertEqual(sessions["summary/worker"], "The backup disk was asked for.")
        self.run_once()
        self.done("summary", 2)

    def test_where_nothing_can_be_learned_a_person_is_called(self):
        self.start('learn = ["long_term"]\n', script=SCRIPT.replace("{", "["))
        self.run_once()
        [alert] = until("it is raised", lambda: self.agentd.get("/v1/alerts")["alerts"])
        self.assertEqual((alert["rule"], alert["severity"], alert["agent_id"]), ("memory", "warning", "worker"))
        self.assertIn("worker learned nothing from a run: run ", alert["summary"])
        self.assertEqual(self.agentd.get("/v1/agents/worker")["error_count"], 0)
        (self.folder / "agents" / "worker.toml").write_text(ASKER)
        until("nobody wants it any more", lambda: not self.agentd.get("/v1/alerts")["alerts"])

    def test_a_run_is_forgotten_with_what_was_learned_from_it(self):
        self.start('learn = ["long_term", "procedural"]\n')
        first = self.run_once()
        digest = self.done("lessons", 1)
        self.agentd.cli("runs", "forget", first["run_id"])
        for run in (first["run_id"], digest["run_id"]):
            self.assertEqual(self.agentd.request("GET", f"/v1/runs/{run}")[0], 404)
        self.assertEqual(len(self.entries("long_term")), 1, "what is remembered has a command of its own")

    def test_one_run_without_a_host_ends_when_it_is_learned_from(self):
        self.start('learn = ["long_term", "procedural"]\n')
        self.agentd.stop()
        done = self.agentd.cli("run", "agents/worker.toml", "--state", "state")
        self.assertEqual(done.stdout, "It is in rack 4.\n")
        self.assertIn("waiting for what its memory is to keep\n", done.stderr)
        self.agentd.start()
        self.assertEqual(len(self.entries("long_term")), 1)

    def test_without_either_a_run_is_one_run(self):
        self.start("window = 2\nsummarize = false\n")
        for _ in range(4):
            self.run_once()
        self.assertEqual({run["trigger"] for run in self.agentd.get("/v1/runs?agent=worker")["runs"]} - AGENT_ALONE, set())

    def test_types_of_memory_in_stores_of_their_own(self):
        self.start('learn = ["long_term", "procedural"]\nstores = { long_term = "facts" }\n', '[stores.facts]\nplugin = "sqlite"\npath = "facts"\n')
        self.run_once()
        self.done("lessons", 1)
        self.agentd.cli("memory", "add", "worker", "look first", "--type", "procedural", "--key", "look")
        everything = self.agentd.get("/v1/memory/worker")["entries"]
        paged, path = [], "/v1/memory/worker?limit=1"
        while path:
            page = self.agentd.get(path)
            paged += page["entries"]
            path = page["next"] and f"/v1/memory/worker?limit=1&cursor={page['next']}"
        self.assertEqual(paged, everything)
        self.assertEqual([entry["type"] for entry in everything], ["episodic", "episodic", "long_term", "procedural", "procedural"])
        found = self.agentd.get("/v1/memory/worker?query=look%20rack%20backup")["entries"]
        self.assertEqual({entry["type"] for entry in found}, {"episodic", "long_term", "procedural"})
        for entry in everything[2:]:
            self.agentd.cli("memory", "forget", "worker", entry["id"])
        self.assertEqual([entry["type"] for entry in self.agentd.get("/v1/memory/worker")["entries"]], ["episodic", "episodic"])


if __name__ == "__main__":
    unittest.main()
