"""A run is done again beside its record: with tools answered from it or live, by another model, from a later step, through a dead host."""
import json
import unittest

from agentd import AgentdTest, Records, until
from receiver import Receiver

WRITER = """
[model]
provider = "played"
model = "m"
[task]
query = "Write it down."
[tools]
allow = ["fs.*"]
[[deliver]]
sinks = ["ops"]
on = ["completed", "failed"]
[alerts]
consecutive_failures = 1
"""

FOLLOWER = """
[model]
provider = "played"
model = "m"
[task]
query = "after"
[[trigger]]
name = "after_writer"
on = "agent"
agent = "writer"
outcome = "completed"
[schedule]
overlap = "$overlap"
"""

SCRIPT = """
agent = [
  { match = "after", step = [{ delay = "$delay", say = "Followed." }] },
  { match = "broken", step = [{ call = [{ tool = "fs.stat", arguments = { path = "$folder/missing" } }] }, { say = "It is {{nothing}}." }] },
  { step = [
    { call = [{ tool = "fs.write_file", arguments = { path = "$folder/note.txt", text = "1" } }] },
    { delay = "$delay", call = [{ tool = "fs.read_file", arguments = { path = "$folder/$read" } }] },
    { say = "$say" } ] },
]
"""


class Replay(AgentdTest):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.data.mkdir()
        self.note = self.data / "note.txt"
        self.receiver = self.enter(Receiver())
        providers = ""
        for name, read, say, delay in (("played", "note.txt", "Done.", "0s"), ("same", "note.txt", "Done.", "0s"), ("slow", "note.txt", "Done.", "2s"),
                                       ("wordy", "note.txt", "All is done.", "0s"), ("other", "other.txt", "Done.", "0s")):
            text = SCRIPT.replace("$folder", str(self.data)).replace("$read", read).replace("$say", say).replace("$delay", delay)
            (self.folder / f"{name}.toml").write_text(text)
            providers += f'[providers.{name}]\nplugin = "script"\nfile = "{name}.toml"\n'
        self.agentd = self.host(f'{providers}[toolsets.fs]\nroots = ["data"]\n[sinks.ops]\nkind = "webhook"\nurl = "{self.receiver.url}/ops"\n',
                                writer=WRITER, follower=FOLLOWER.replace("$overlap", "skip"), pusher=FOLLOWER.replace("$overlap", "cancel_previous"))
        self.agentd.start()
        self.run_id = self.agentd.submit("writer")
        self.assertEqual(self.agentd.wait_run(self.run_id)["status"], "completed")
        until("it is delivered and followed", lambda: len(self.receiver.told("/ops")) == 1 and self.ended("follower") and self.ended("pusher"))

    def runs(self, agent):
        return self.agentd.get(f"/v1/runs?agent={agent}")["runs"]

    def ended(self, agent):
        return [run for run in self.runs(agent) if run["status"] == "completed"]

    def replay(self, *options, code=0):
        done = self.agentd.cli("runs", "replay", self.run_id, *options, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def last_replay(self):
        return next(run for run in self.runs("writer") if run["trigger"] == "replay")

    def post(self, run_id, **body):
        status, text = self.agentd.request("POST", f"/v1/runs/{run_id}/replay", body)
        return status, json.loads(text)

    def stats(self):
        agent = self.agentd.get("/v1/agents/writer")
        return [agent[key] for key in ("run_count", "error_count", "consecutive_failures", "last_run", "last_error", "state")]

    def test_the_same_answers_are_no_difference_and_call_no_tool(self):
        self.note.unlink()
        self.assertEqual(self.replay(), "no difference in 3 steps\n")
        self.assertFalse(self.note.exists())
        replay = self.last_replay()
        self.assertEqual((replay["status"], replay["result"], replay["replay"]["of"], replay["replay"]["difference"]), ("completed", "Done.", self.run_id, None))
        steps = self.agentd.get(f"/v1/runs/{replay['run_id']}/steps")["steps"]
        self.assertEqual([(step["name"], step["outcome"], step["recorded"]) for step in steps if step["kind"] == "tool"],
                         [("fs.write_file", "ok", True), ("fs.read_file", "ok", True)])
        self.assertEqual(self.replay("--model", "same/m2"), "no difference in 3 steps\n")
        models = {step["name"] for step in self.agentd.get(f"/v1/runs/{self.last_replay()['run_id']}/steps")["steps"] if step["kind"] == "model"}
        self.assertEqual(models, {"same/m2"})
        self.assertIn(self.run_id, self.agentd.cli("runs", "show", self.last_replay()["run_id"]).stdout)

    def test_another_answer_is_shown_with_its_step(self):
        self.assertEqual(self.replay("--model", "wordy/m", code=1), 'step 3, text:\n  recorded: "Done."\n  replayed: "All is done."\n')
        document = json.loads(self.replay("--model", "wordy/m", "--json", code=1))
        self.assertEqual(document["replay"]["difference"], {"step": 3, "what": "text", "recorded": "Done.", "replayed": "All is done."})
        self.assertEqual(document["result"], "All is done.")

    def test_a_call_that_the_record_does_not_have_ends_it(self):
        (self.data / "other.txt").write_text("never read")
        words = self.replay("--model", "other/m", code=1)
        self.assertEqual(words, f'step 2, tool_call:\n  recorded: fs.read_file {{"path":"{self.note}"}}\n  replayed: fs.read_file {{"path":"{self.data}/other.txt"}}\n')
        run = self.agentd.get(f"/v1/runs/{self.last_replay()['run_id']}")
        self.assertEqual((run["status"], run["result"], run["steps"]), ("completed", None, 2))

    def test_it_begins_at_a_later_step(self):
        self.assertEqual(self.replay("--from-step", "3"), "no difference in 1 step\n")
        self.assertEqual(self.agentd.get(f"/v1/runs/{self.last_replay()['run_id']}")["usage"]["requests"], 1)
        self.assertEqual(self.replay("--from-step", "3", "--model", "other/m"), "no difference in 1 step\n")

    def test_live_tools_do_what_they_do(self):
        self.note.unlink()
        self.assertEqual(self.replay("--live"), "no difference in 3 steps\n")
        self.assertEqual(self.note.read_text(), "1")
        self.note.unlink()
        self.note.mkdir()
        words = self.replay("--live", code=1)
        self.assertIn("step 1, tool_result:\n  recorded: fs.write_file ok:", words)
        self.assertIn("replayed: fs.write_file error:", words)

    def test_it_leaves_nothing_behind(self):
        before = self.stats()
        for model in ("same/m", "wordy/m"):
            self.replay("--model", model, code=int(model == "wordy/m"))
        broken = self.agentd.submit("writer", query="broken")
        self.assertEqual(self.agentd.wait_run(broken)["status"], "failed")
        failed = self.stats()
        self.assertEqual((failed[0], failed[1]), (before[0] + 1, before[1] + 1))
        until("it is delivered", lambda: len(self.receiver.told("/ops")) == 2)
        self.assertEqual(self.agentd.cli("runs", "replay", broken, check=False).returncode, 1)  # a replay that fails as it did
        self.assertEqual(self.last_replay()["status"], "failed")
        self.assertEqual(self.stats(), failed)
        later = self.agentd.submit("writer")
        self.agentd.wait_run(later)
        until("it is delivered", lambda: len(self.receiver.told("/ops")) == 3)
        self.assertEqual(len(self.runs("follower")), 2)
        recalled = [payload.get("recalled", []) for _, run, kind, payload in Records(self.agentd.state, self.folder).rows if kind == 1 and payload.get("why") is None and run == int(later.split("-")[0])]
        self.assertEqual([len(messages) for messages in recalled], [2], "of the first run alone")
        self.assertEqual([row["trigger"] for row in self.runs("writer")].count("replay"), 3)

    def test_no_overlap_sees_it(self):
        replays = []
        for agent in ("follower", "pusher"):
            [run] = self.ended(agent)
            status, asked = self.post(run["run_id"], model="slow/m")
            self.assertEqual(status, 202)
            replays.append(asked["run_id"])
        self.agentd.wait_run(self.agentd.submit("writer"))
        for run_id in replays:
            self.assertEqual(self.agentd.wait_run(run_id)["status"], "completed")
        for agent in ("follower", "pusher"):
            until(f"{agent} has followed twice", lambda: len(self.ended(agent)) == 3)
            self.assertEqual([run["trigger"] for run in self.runs(agent)], ["agent", "replay", "agent"])

    def test_it_survives_the_host(self):
        self.note.unlink()
        status, asked = self.post(self.run_id, model="slow/m")
        self.assertEqual(status, 202)
        until("the second step is asked for", lambda: len(self.agentd.get(f"/v1/runs/{asked['run_id']}/steps")["steps"]) == 2)
        self.agentd.kill()
        self.agentd.start()
        run = self.agentd.wait_run(asked["run_id"])
        self.assertEqual((run["status"], run["result"], run["replay"]["difference"]), ("completed", "Done.", None))
        self.assertFalse(self.note.exists())
        self.assertEqual([len(self.receiver.told("/ops")), len(self.runs("follower"))], [1, 1])

    def test_a_key_is_one_replay(self):
        status, first = self.post(self.run_id, key="once")
        again, second = self.post(self.run_id, key="once")
        self.assertEqual((status, again, first["duplicate"], second["duplicate"]), (202, 202, False, True))
        self.assertEqual(first["run_id"], second["run_id"])
        self.agentd.wait_run(first["run_id"])

    def test_what_cannot_be_replayed_is_refused(self):
        def refused(run_id, **body):
            status, problem = self.post(run_id, **body)
            return status, problem["detail"] + "".join(f" {error['pointer']} {error['detail']}" for error in problem.get("errors", []))

        self.assertEqual(refused("nonsense"), (404, 'there is no run "nonsense"'))
        self.assertEqual(refused("999999-0000000")[0], 404)
        self.assertEqual(refused(self.run_id, from_step=4), (422, "the request for a replay cannot be understood /from_step is a step of the record, 1 to 3"))
        self.assertEqual(refused(self.run_id, model="nobody/m")[0], 422)
        self.assertIn('there is no provider "nobody"', refused(self.run_id, model="nobody/m")[1])
        self.replay()
        replay = self.last_replay()["run_id"]
        self.assertEqual(refused(replay), (409, f"run {replay} cannot be replayed: it is a replay itself; replay run {self.run_id}"))
        status, asked = self.post(self.run_id, model="slow/m")
        self.assertEqual(refused(asked["run_id"]), (409, f"run {asked['run_id']} has not ended; it can be replayed when it has"))
        self.agentd.cli("runs", "cancel", asked["run_id"])
        status, text = self.agentd.request("POST", f"/v1/runs/{asked['run_id']}/retry")
        self.assertEqual((status, json.loads(text)["detail"]), (409, f"run {asked['run_id']} is a replay; replay run {self.run_id} again"))
        done = self.agentd.cli("runs", "replay", self.run_id, "--model", "nobody/m", check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""))


if __name__ == "__main__":
    unittest.main()
