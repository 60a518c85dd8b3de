"""Agents that come, change and go through the API and by command, while the host runs: durable, checked whole, and never in a file's way."""
import http.client
import json
import os
import re
import subprocess
import threading
import time
import unittest

from agentd import AGENTD, PATIENCE, SOURCE, AgentdTest, until

SCRIPT = """
agent = [
  { match = "slow", step = [{ call = [{ tool = "stubborn.nap", arguments = { seconds = 30 } }] }, { say = "Done." }] },
  { match = "ask", step = [{ call = [{ tool = "stubborn.nap", arguments = { seconds = 0 } }] }, { say = "Done." }] },
  { match = "fail", step = [{ say = "Did not look." }] },
  { step = [{ say = "Done." }] },
]
"""
MODEL = {"provider": "played", "model": "m"}


def manifest(agent_id="a", **more):
    return {"agent_id": agent_id, "model": MODEL, "task": {"query": "Do it."}, **more}


def as_toml(agent_id="a", more="", top=""):
    name = f'agent_id = "{agent_id}"\n' if agent_id else ""
    return f'{name}{top}[model]\nprovider = "played"\nmodel = "m"\n[task]\nquery = "Do it."\n{more}'


class Agents(AgentdTest):
    def start(self, config="", **agents):
        (self.folder / "script.toml").write_text(SCRIPT)
        self.config = '[providers.played]\nplugin = "script"\nfile = "script.toml"\n'
        self.agentd = self.host(self.config + config, **agents)
        return self.agentd.start()

    def ask(self, method, path, body=None, content_type="application/json", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.agentd.port, timeout=PATIENCE)
        try:
            text = body if body is None or isinstance(body, str) else json.dumps(body)
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, text, {"Content-Type": content_type, **names})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), dict(answer.getheaders())
        finally:
            connection.close()

    def created(self, **described):
        status, body, _ = self.ask("POST", "/v1/agents", manifest(**described))
        self.assertEqual(status, 201, body)
        return body

    def patched(self, agent, patch, status=200, **headers):
        got, body, _ = self.ask("PATCH", f"/v1/agents/{agent}", patch, "application/merge-patch+json", **headers)
        self.assertEqual(got, status, body)
        return body

    def agents(self):
        return {agent["agent_id"]: agent for agent in self.agentd.get("/v1/agents")["agents"]}

    def refused(self):
        return {refused["agent_id"]: refused for refused in self.agentd.get("/v1/status")["refused_agents"]}

    def types(self, agent="a"):
        return [event["type"] for event in self.agentd.get(f"/v1/events?agent={agent}&limit=1000")["events"] if event["type"].startswith("agent_")]

    def write(self, name, text):
        (self.folder / "agents" / f"{name}.toml").write_text(text)

    def pointers(self, body):
        return [error["pointer"] for error in body["errors"]]

    # ---- created

    def test_an_agent_is_created_runs_and_comes_back_with_the_host(self):
        self.start()
        status, agent, headers = self.ask("POST", "/v1/agents", manifest(schedule={"interval": "1s"}, labels={"team": "ops"}))
        self.assertEqual((status, headers["Location"], headers["ETag"]), (201, "/v1/agents/a", '"1"'))
        self.assertEqual((agent["origin"], agent["revision"], agent["labels"]), ("api", 1, {"team": "ops"}))
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("a"))["status"], "completed")
        until("its slots run", lambda: [run for run in self.agentd.get("/v1/runs?agent=a")["runs"] if run["trigger"] == "schedule"])
        self.agentd.kill()
        self.agentd.start()
        again = self.agents()["a"]
        self.assertEqual((again["origin"], again["revision"], again["interval"]), ("api", 1, "1s"))
        self.assertEqual(self.types(), ["agent_created"])
        self.assertEqual(self.agentd.get("/v1/agents/a")["manifest"]["task"], {"query": "Do it."})
        before = len(self.agentd.get("/v1/runs?agent=a&limit=1000")["runs"])
        until("its slots run again", lambda: len(self.agentd.get("/v1/runs?agent=a&limit=1000")["runs"]) > before)

    def test_created_twice_it_is_one(self):
        self.start()
        key = {"Idempotency_Key": "deploy-7"}
        self.assertEqual(self.ask("POST", "/v1/agents", manifest(), **key)[0], 201)
        self.assertEqual(self.ask("POST", "/v1/agents", manifest(), **key)[0], 201)
        self.assertEqual(self.ask("POST", "/v1/agents", manifest())[0], 201)  # the same content says so itself
        self.patched("a", {"description": "changed"})
        status, first, _ = self.ask("POST", "/v1/agents", manifest(), **key)
        self.assertEqual((status, first["description"]), (201, "changed"))
        self.assertEqual(self.ask("POST", "/v1/agents", manifest(description="other"), **key)[0], 422)
        status, body, _ = self.ask("POST", "/v1/agents", manifest(description="other"))
        self.assertEqual(status, 409)
        self.assertIn("exists already", body["detail"])
        self.assertEqual(self.types(), ["agent_created", "agent_updated"])

    def test_everything_that_check_finds_is_told_at_its_place(self):
        self.start()
        status, body, _ = self.ask("POST", "/v1/agents", manifest(limits={"max_stepz": 3, "queue_size": 0}, schedule={"cron": "61 * * * *"}, tools={"allow": ["nosuch.tool"]}))
        self.assertEqual((status, sorted(self.pointers(body))), (422, ["/limits/max_stepz", "/limits/queue_size", "/schedule/cron", "/tools/allow/0"]))
        self.assertIn('did you mean "max_steps"', json.dumps(body["errors"]).replace("\\", ""))
        status, body, _ = self.ask("POST", "/v1/agents", {**manifest(), "model": {"provider": "none", "model": "m"}})
        self.assertEqual((status, self.pointers(body)), (422, ["/model/provider"]))
        status, body, _ = self.ask("POST", "/v1/agents", manifest(trigger=[{"name": "t", "on": "webhook", "secret": "hunter2"}]))
        self.assertEqual((status, self.pointers(body)), (422, ["/trigger/0/secret"]))
        self.assertNotIn("hunter2", json.dumps(body))
        status, body, _ = self.ask("POST", "/v1/agents", manifest(trigger=[{"name": "t", "on": "file", "path": "inbox"}]))
        self.assertEqual((status, self.pointers(body)), (422, ["/trigger/0/path"]))
        self.assertIn("absolute", body["errors"][0]["detail"])
        status, body, _ = self.ask("POST", "/v1/agents", as_toml(more="[limits]\nmax_stepz = 3\n"), "application/toml")
        self.assertEqual((status, [(e["pointer"], e["line"], e["column"]) for e in body["errors"]]), (422, [("", 8, 1)]))
        self.assertEqual(self.ask("POST", "/v1/agents", "[1,", "application/json")[0], 400)
        self.assertEqual(self.ask("POST", "/v1/agents", "[broken", "application/toml")[0], 422)
        self.assertEqual(self.ask("POST", "/v1/agents", "agent_id = 'a'", "text/plain")[0], 415)
        self.assertEqual(self.ask("POST", "/v1/agents", {"model": MODEL, "task": {"query": "q"}})[0], 422)  # without a name
        self.assertEqual(self.ask("POST", "/v1/agents", manifest("A/b"))[0], 422)
        self.assertEqual(self.ask("POST", "/v1/agents", manifest(system_instruction="x" * (300 << 10)))[0], 422)
        self.assertEqual((self.agents(), self.types()), ({}, []))

    def test_a_secret_that_was_pasted_is_kept_nowhere(self):
        self.start('[toolsets.system]\n[sinks.hook]\nkind = "webhook"\nurl = "env:HOOK"\n')
        self.agentd.stop()
        self.agentd.start(HOOK="http://127.0.0.1:9/very-secret-hook")
        self.created(description="posts to http://127.0.0.1:9/very-secret-hook", task={"query": "q", "params": {"u": "http://127.0.0.1:9/very-secret-hook"}})
        self.patched("a", {"labels": {"u": "http://127.0.0.1:9/very-secret-hook"}})
        self.agentd.stop()
        for file in (self.folder / "state").rglob("*"):
            if file.is_file():
                self.assertNotIn(b"very-secret-hook", file.read_bytes(), file)
        self.agentd.start(HOOK="http://127.0.0.1:9/very-secret-hook")
        self.assertEqual((self.agents()["a"]["revision"], self.agents()["a"]["labels"]), (2, {"u": "[secret]"}))

    # ---- changed

    def test_a_patch_is_for_new_runs_and_running_ones_keep_theirs(self):
        self.start()
        self.created(tools={"allow": ["stubborn.nap"]}, limits={"max_concurrent": 2})
        run = self.agentd.submit("a", query="slow")
        until("it runs", lambda: self.agentd.run_status(run) == "running")
        changed = self.patched("a", {"tools": None, "limits": {"max_steps": 3}, "schedule": {"interval": "1h"}})
        self.assertEqual((changed["revision"], changed["changed"], changed["interval"], changed["available_tools"]), (2, True, "1h", []))
        self.assertEqual(self.agentd.run_status(run), "running")
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("a"))["status"], "completed")
        self.assertEqual(self.agentd.get("/v1/agents/a")["manifest"]["limits"], {"max_concurrent": 2, "max_steps": 3})
        same = self.patched("a", {"limits": {"max_steps": 3}})
        self.assertEqual((same["revision"], same["changed"]), (2, False))
        self.assertEqual(self.types(), ["agent_created", "agent_updated"])

    def test_a_broken_patch_keeps_the_last_good_revision(self):
        self.start()
        self.created()
        body = self.patched("a", {"schedule": {"cron": "61 * * * *"}, "model": {"modle": "x"}}, 422)
        self.assertEqual(sorted(self.pointers(body)), ["/model/modle", "/schedule/cron"])
        self.assertEqual(self.pointers(self.patched("a", {"agent_id": "b"}, 422)), ["/agent_id"])
        self.patched("a", ["no object"], 400)
        self.patched("nobody", {"enabled": False}, 404)
        self.assertEqual((self.agents()["a"]["revision"], self.types()), (1, ["agent_created"]))
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("a"))["status"], "completed")

    def test_a_number_is_that_number_or_refused(self):
        """What no whole number of TOML holds became a text, and what 64 bits do not hold another number."""
        self.start()
        self.created(task={"query": "Look", "params": {"n": 9223372036854775807}})
        self.assertEqual(self.agentd.get("/v1/agents/a")["manifest"]["task"]["params"], {"n": 9223372036854775807})
        between, beyond = {"task": {"query": "Look", "params": {"a/b": [{"n": 9223372036854775808}]}}}, {"task": {"query": "Look", "params": {"n": 184467440737095516150}}}
        self.assertEqual(self.pointers(self.patched("a", between, 422)), ["/task/params/a~1b/0/n"])
        self.assertIn("184467440737095516150, which is beyond 64 bits", self.patched("a", beyond, 400)["errors"][0]["detail"])
        for wrong, status in ((between, 422), (beyond, 400)):
            self.assertEqual(self.ask("POST", "/v1/agents", manifest(agent_id="b", **wrong))[0], status)
        self.assertEqual(self.agents()["a"]["revision"], 1)

    def test_json_that_is_none_is_told_with_its_place(self):
        self.start()
        for method, path in (("POST", "/v1/agents"), ("PATCH", "/v1/agents/a")):
            status, body, _ = self.ask(method, path, '{"agent_id":"a",}')
            self.assertEqual((status, body["errors"][0]["detail"]), (400, "is not one valid JSON document (at byte 17)"))

    def test_who_looked_at_another_revision_changes_nothing(self):
        self.start()
        self.created()
        self.assertEqual(self.patched("a", {"description": "one"}, If_Match='"1"')["revision"], 2)
        self.assertIn("revision 2", self.patched("a", {"description": "two"}, 412, If_Match='"1"')["detail"])
        self.patched("a", {"description": "two"}, 400, If_Match="some")
        self.assertEqual(self.ask("DELETE", "/v1/agents/a", If_Match='"1"')[0], 412)
        self.assertEqual(self.ask("PUT", "/v1/agents/a", manifest(description="three"), If_Match="1")[0], 412)
        self.assertEqual(self.agents()["a"]["description"], "one")
        self.assertEqual(self.ask("GET", "/v1/agents/a")[2]["ETag"], '"2"')

    def test_pause_and_stop_outlive_a_patch_and_a_restart(self):
        self.start()
        self.created(schedule={"interval": "1s"})
        self.created(agent_id="b")
        self.agentd.cli("agents", "pause", "a", "--reason", "busy")
        self.agentd.cli("agents", "stop", "b")
        self.assertEqual(self.patched("a", {"description": "changed"})["state"], "paused")
        self.agentd.kill()
        self.agentd.start()
        self.assertEqual({name: agent["state"] for name, agent in self.agents().items()}, {"a": "paused", "b": "stopped"})
        self.agentd.cli("agents", "resume", "a")
        until("its slots run", lambda: self.agentd.get("/v1/runs?agent=a&status=completed")["runs"])

    def test_disabled_by_a_patch_it_says_how_it_is_enabled(self):
        self.start()
        self.created()
        self.patched("a", {"enabled": False})
        status, body, _ = self.ask("POST", "/v1/agents/a/runs", {})
        self.assertEqual(status, 409)
        self.assertIn("agentd agents update a enabled=true", body["detail"])
        self.agentd.cli("agents", "update", "a", "enabled=true")
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("a"))["status"], "completed")

    def test_a_schedule_that_is_patched_takes_effect(self):
        self.start()
        self.created(schedule={"interval": "1h"})
        self.patched("a", {"schedule": {"interval": "1s"}})
        until("it runs by its new schedule", lambda: self.agentd.get("/v1/runs?agent=a&status=completed")["runs"])
        self.patched("a", {"schedule": None})
        self.assertIsNone(self.agents()["a"]["next_run"])

    def test_defaults_are_theirs_too(self):
        self.start('[defaults]\ndescription = "by default"\n')
        self.assertEqual(self.created()["description"], "by default")
        self.agentd.configure(self.config + '[defaults]\ndescription = "by another"\n')
        self.assertEqual(json.loads(self.agentd.request("POST", "/-/reload")[1])["updated"], ["a"])
        self.assertEqual((self.agents()["a"]["description"], self.agents()["a"]["revision"]), ("by another", 2))
        self.patched("a", {"description": "its own"})
        self.agentd.request("POST", "/-/reload")
        self.assertEqual(self.agents()["a"]["description"], "its own")

    # ---- deleted

    def test_deleted_it_ends_what_it_had_asked_for(self):
        self.start()
        self.created(tools={"allow": ["stubborn.nap"], "ask": ["stubborn.nap"]}, schedule={"interval": "1s", "overlap": "queue"}, retry={"max_retries": 0})
        parked = self.agentd.submit("a", query="ask")
        until("it waits for a person", lambda: self.agentd.get("/v1/approvals")["approvals"])
        self.patched("a", {"tools": {"ask": None}})
        running, queued = self.agentd.submit("a", query="slow"), self.agentd.submit("a")
        until("one runs", lambda: self.agentd.run_status(running) == "running")
        status, body, _ = self.ask("DELETE", "/v1/agents/a")
        self.assertEqual((status, body), (200, {"agent_id": "a", "deleted": True}))
        for run in (parked, running, queued):
            self.assertEqual(self.agentd.wait_run(run)["status"], "cancelled")
        self.assertEqual(self.agentd.get(f"/v1/runs/{queued}")["reason"], "the agent was deleted")
        self.assertEqual(self.agentd.get("/v1/approvals")["approvals"], [])
        self.assertEqual(self.types()[-1], "agent_deleted")
        for method, path in (("GET", "/v1/agents/a"), ("POST", "/v1/agents/a/runs"), ("DELETE", "/v1/agents/a")):
            self.assertEqual(self.ask(method, path)[0], 404)
        runs = len(self.agentd.get("/v1/runs?agent=a&limit=1000")["runs"])
        time.sleep(1.5)  # a slot that is not to run
        self.assertEqual(len(self.agentd.get("/v1/runs?agent=a&limit=1000")["runs"]), runs)
        self.agentd.kill()
        self.agentd.start()
        self.assertEqual((self.agents(), self.agentd.get("/v1/runs?agent=a&status=queued")["runs"]), ({}, []))

    def test_the_same_name_later_is_a_new_life(self):
        self.start()
        self.created(retry={"max_retries": 0, "pause_after_failures": 1}, task={"query": "fail", "require": ["system.load"]}, tools={"allow": ["system.load"]})
        self.agentd.wait_run(self.agentd.submit("a"))
        until("it is paused", lambda: self.agents()["a"]["state"] == "paused")
        self.ask("DELETE", "/v1/agents/a")
        again = self.created(retry={"max_retries": 0, "pause_after_failures": 1})
        self.assertEqual((again["state"] in ("idle", "error"), again["revision"], again["run_count"]), (True, 2, 1))
        self.assertEqual(self.agentd.wait_run(self.agentd.submit("a"))["status"], "completed")
        self.assertEqual([kind for kind in self.types() if kind != "agent_paused"], ["agent_created", "agent_deleted", "agent_created"])

    def test_an_agent_that_another_follows_is_not_deleted(self):
        self.start(follower=as_toml("follower", '[[trigger]]\nname = "after"\non = "agent"\nagent = "a"\n'))
        self.assertIn("there is no agent", self.refused()["follower"]["problems"][0])
        self.created()
        until("the file's agent follows it", lambda: "follower" in self.agents())
        self.agentd.wait_run(self.agentd.submit("a"))
        until("it has followed", lambda: self.agentd.get("/v1/runs?agent=follower&status=completed")["runs"])
        status, body, _ = self.ask("DELETE", "/v1/agents/a")
        self.assertEqual(status, 409)
        self.assertIn('agent "follower" runs when "a" has', body["detail"])
        status, body, _ = self.ask("PATCH", "/v1/agents/a", {"trigger": [{"name": "back", "on": "agent", "agent": "follower"}]})
        self.assertEqual((status, self.pointers(body)), (422, ["/trigger/0/agent"]))
        self.assertIn("never ends", body["errors"][0]["detail"])
        os.remove(self.folder / "agents" / "follower.toml")
        until("nobody follows it", lambda: "follower" not in self.agents())
        self.assertEqual(self.ask("DELETE", "/v1/agents/a")[0], 200)

    # ---- files

    def test_a_files_agent_is_the_files(self):
        self.start(a=as_toml())
        for method, body, remedy in (("PATCH", {"description": "x"}, "change that file"), ("DELETE", None, "remove that file"), ("PUT", manifest(), "change that file")):
            status, said, _ = self.ask(method, "/v1/agents/a", body)
            self.assertEqual(status, 409)
            self.assertIn("agents/a.toml", said["detail"])
            self.assertIn(remedy, said["detail"])
        status, said, _ = self.ask("POST", "/v1/agents", manifest())
        self.assertEqual(status, 409)
        self.assertIn("agents/a.toml", said["detail"])
        self.write("b", "broken")
        until("it is refused", lambda: "b" in self.refused())
        self.assertEqual(self.ask("POST", "/v1/agents", manifest("b"))[0], 409)

    def test_a_file_that_comes_later_is_refused_until_the_name_is_free(self):
        self.start()
        self.created(description="through the API")
        self.write("a", as_toml(top='description = "from a file"\n'))
        until("the file is refused", lambda: "a" in self.refused())
        self.assertEqual(self.refused()["a"]["origin"], "agents/a.toml")
        self.assertIn("came through the API", self.refused()["a"]["problems"][0])
        self.assertEqual(self.agents()["a"]["description"], "through the API")
        self.agentd.kill()
        self.agentd.start()
        self.assertEqual((self.agents()["a"]["description"], list(self.refused())), ("through the API", ["a"]))
        self.patched("a", {"description": "changed"})
        self.assertEqual(self.ask("DELETE", "/v1/agents/a")[0], 200)
        until("the file has the name now", lambda: self.agents().get("a", {}).get("description") == "from a file")
        self.assertEqual(self.refused(), {})

    # ---- what is broken at a restart

    def test_an_agent_that_cannot_run_now_is_refused_by_name_and_not_lost(self):
        self.start()
        self.created(description="mine")
        self.agentd.stop()
        self.agentd.configure("")
        self.agentd.start()
        self.assertEqual((self.agents(), self.refused()["a"]["origin"]), ({}, "api"))
        self.assertIn("api:/model/provider", self.refused()["a"]["problems"][0])
        self.assertEqual(self.ask("GET", "/v1/agents/a")[0], 404)
        self.assertEqual(self.ask("POST", "/v1/agents", manifest(description="mine"))[0], 422)
        self.agentd.stop()
        self.agentd.configure(self.config)
        self.agentd.start()
        self.assertEqual((self.agents()["a"]["description"], self.agents()["a"]["revision"], self.refused()), ("mine", 1, {}))
        self.agentd.stop()
        self.agentd.configure('[providers.another]\nplugin = "script"\nfile = "script.toml"\n')
        self.agentd.start()
        self.assertEqual(self.patched("a", {"model": {"provider": "another"}})["revision"], 2)  # mended here and now
        self.assertEqual((self.refused(), self.agentd.wait_run(self.agentd.submit("a"))["status"]), ({}, "completed"))

    def test_a_backup_has_them(self):
        self.start()
        self.created(description="kept")
        self.agentd.cli("ledger", "backup", str(self.folder / "copy.db"))
        self.ask("DELETE", "/v1/agents/a")
        self.agentd.stop()
        self.agentd.cli("ledger", "restore", str(self.folder / "copy.db"), "--config", "agentd.toml")
        self.agentd.start()
        self.assertEqual(self.agents()["a"]["description"], "kept")

    def test_killed_between_any_two_steps_it_is_the_old_or_the_new(self):
        self.start()
        self.created(description="0", tools={"allow": ["stubborn.nap"]})
        for turn in range(6):
            said = []

            def change():
                try:
                    for step in range(1000):
                        said.append(step)
                        self.ask("PATCH", "/v1/agents/a", {"description": f"{turn}.{step}"})
                except (OSError, http.client.HTTPException):
                    pass

            changing = threading.Thread(target=change)
            changing.start()
            until("some changes were made", lambda: len(said) > 2 * turn + 1)
            self.agentd.kill()
            changing.join()
            self.agentd.start()
            now = self.agents()["a"]
            spec = self.agentd.get("/v1/agents/a")["manifest"]
            self.assertEqual(now["description"], spec["description"])
            self.assertIn(now["description"], {f"{turn}.{step}" for step in said[-2:]} | {"0"})
            updates = [event for event in self.agentd.get("/v1/events?agent=a&type=agent_updated&limit=1000")["events"]]
            self.assertEqual(now["revision"], updates[-1]["payload"]["revision"])
            self.assertEqual(self.agentd.wait_run(self.agentd.submit("a"))["status"], "completed")

    def test_killed_while_it_is_deleted_it_is_gone_whole(self):
        self.start()
        for turn in range(3):
            self.created(tools={"allow": ["stubborn.nap"]}, limits={"queue_size": 200}, description=str(turn))
            runs = [self.agentd.submit("a", query="slow") for _ in range(60)]
            deleting = threading.Thread(target=self.try_delete)
            deleting.start()
            until("it is being deleted", lambda: self.types()[-1:] == ["agent_deleted"])
            self.agentd.kill()
            deleting.join()
            self.agentd.start()
            until("all of it has ended", lambda: all(self.agentd.run_status(run) == "cancelled" for run in runs))
            self.assertEqual(self.agents(), {})
            until("the name is free", lambda: self.ask("POST", "/v1/agents", manifest(description="free"))[0] == 201)
            self.assertEqual(self.ask("DELETE", "/v1/agents/a")[0], 200)

    def try_delete(self):
        try:
            self.ask("DELETE", "/v1/agents/a")
        except (OSError, http.client.HTTPException):
            pass

    # ---- by command

    def test_commands_create_change_and_delete(self):
        self.start()
        (self.folder / "night.toml").write_text(as_toml(None, '[schedule]\ninterval = "1h"\n'))
        self.assertEqual(self.agentd.cli("agents", "create", "night.toml").stdout, "night\n")
        self.assertEqual(self.agentd.cli("agents", "create", "night.toml", "--id", "day").stdout, "day\n")
        self.assertEqual(self.agentd.cli("agents", "update", "night", "schedule.interval=5m", "limits.max_steps=3", "enabled=false", "labels.team=ops").stdout, "night: revision 2\n")
        night = json.loads(self.agentd.cli("agents", "show", "night", "--json").stdout)
        self.assertEqual((night["interval"], night["state"], night["labels"], night["manifest"]["limits"]), ("5m", "stopped", {"team": "ops"}, {"max_steps": 3}))
        self.assertEqual(self.agentd.cli("agents", "update", "night", "labels.team=", "enabled=true").stdout, "night: revision 3\n")
        self.assertEqual(self.agentd.cli("agents", "update", "night", "enabled=true").stdout, "night: unchanged, revision 3\n")
        wrong = self.agentd.cli("agents", "update", "night", "limits.max_steps=many", check=False)
        self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
        self.assertIn("/limits/max_steps", wrong.stderr)
        self.assertEqual(self.agentd.cli("agents", "update", "nobody", "enabled=true", check=False).returncode, 1)
        self.agentd.cli("agents", "delete", "night")
        self.assertEqual(list(self.agents()), ["day"])
        self.assertEqual(self.agentd.cli("agents", "delete", "night", check=False).returncode, 1)
        (self.folder / "wrong.toml").write_text(as_toml(None, "[limits]\nmax_stepz = 3\n"))
        (self.folder / "named.toml").write_text(as_toml("its_own"))
        self.assertEqual(self.agentd.cli("agents", "create", "named.toml", "--id", "another").stdout, "another\n")
        self.agentd.cli("agents", "delete", "another")
        self.assertEqual(self.agentd.cli("agents", "create", "named.toml").stdout, "its_own\n")
        wrong = self.agentd.cli("agents", "create", "wrong.toml", check=False)
        self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
        self.assertIn('wrong.toml:7:1: unknown key "max_stepz"', wrong.stderr)
        self.assertEqual(self.agentd.cli("agents", "create", "wrong.toml", "--url", "http://127.0.0.1:1", check=False).returncode, 3)

    def test_a_folder_is_applied(self):
        self.start(here=as_toml("here"))
        folder = self.folder / "deployed"
        folder.mkdir()
        (folder / "a.toml").write_text(as_toml(None, '[[trigger]]\nname = "after"\non = "agent"\nagent = "z"\n'))
        (folder / "z.toml").write_text(as_toml(None))
        apply = lambda: self.agentd.cli("agents", "apply", "deployed", check=False)
        done = apply()
        self.assertEqual((done.returncode, done.stdout), (0, "created   a\ncreated   z\n"))
        (folder / "z.toml").write_text(as_toml(None, top='description = "changed"\n'))
        self.assertEqual(apply().stdout, "unchanged a\nupdated   z\n")
        (folder / "z.toml").write_text(as_toml(None, "[limits]\nmax_stepz = 3\n"))
        (folder / "here.toml").write_text(as_toml(None))
        done = apply()
        self.assertEqual(done.returncode, 1)
        self.assertIn("unchanged a\nrefused   here\n", done.stdout)
        self.assertIn("agents/here.toml: change that file", done.stdout)
        self.assertIn('refused   z\n  deployed/z.toml:7:1: unknown key "max_stepz"', done.stdout)
        self.assertEqual(self.agents()["z"]["description"], "changed")  # the last good revision
        lines = [json.loads(line) for line in self.agentd.cli("agents", "apply", "deployed", "--json", check=False).stdout.splitlines()]
        self.assertEqual([(line["agent_id"], line["result"]) for line in lines], [("a", "unchanged"), ("here", "refused"), ("z", "refused")])


    def test_what_readme_shows_works(self):
        self.start(hello=as_toml("hello"))
        section = (SOURCE / "README.md").read_text().split("## Agents without a file")[1].split("\n## ")[0]
        commands = re.findall(r"^(agentd agents .*?)(?: +#.*)?$", section, re.M)
        self.assertEqual(len(commands), 5)
        (self.folder / "deployed").mkdir()
        (self.folder / "deployed" / "one.toml").write_text(as_toml(None))
        for command in commands:
            done = subprocess.run(command, shell=True, cwd=self.folder, capture_output=True, text=True, env=self.agentd.environment(PATH=f"{AGENTD.parent}:{os.environ['PATH']}"))
            self.assertEqual(done.returncode, 0, f"{command}: {done.stdout}{done.stderr}")
        self.assertEqual(sorted(self.agents()), ["hello", "one"])


if __name__ == "__main__":
    unittest.main()
