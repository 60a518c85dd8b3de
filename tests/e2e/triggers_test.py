"""What starts runs besides schedules: other agents, requests, files. Each key of a [[trigger]] is seen at work here."""
import base64
import hashlib
import hmac
import http.client
import json
import time
import unittest

from agentd import AgentdTest, until

SCRIPT = 'agent = [{ step = [{ say = "Said." }] }]\n'
PLAYED = '[providers.played]\nplugin = "script"\nfile = "script.toml"\n'


def agent(**triggers):
    """The manifest of an agent that says something; its triggers by name."""
    tables = "".join(f'[[trigger]]\nname = "{name}"\n' + "".join(f"{key} = {value!r}\n".replace("'", '"') for key, value in keys.items()) for name, keys in triggers.items())
    return f'[model]\nprovider = "played"\nmodel = "m"\n[task]\nquery = "Look"\n[retry]\nmax_retries = 0\n[schedule]\noverlap = "queue"\n{tables}'


FAILS = agent().replace('query = "Look"', 'query = "Look"\nrequire = ["system.load"]') + '[tools]\nallow = ["system.*"]\n'


class Triggers(AgentdTest):
    def played(self, **agents):
        host = self.host(PLAYED, **agents)
        (host.folder / "script.toml").write_text(SCRIPT)
        return host

    def runs(self, host, agent_id):
        """All there are, the oldest first."""
        return [host.get(f"/v1/runs/{run['run_id']}") for run in reversed(host.get(f"/v1/runs?agent={agent_id}&limit=1000")["runs"])]

    def ended(self, host, agent_id, count):
        def look():
            found = self.runs(host, agent_id)
            return len(found) >= count and all(run["finished_at"] for run in found) and found
        return until(f"{agent_id} has run {count} times", look)


class Chains(Triggers):
    def test_start_with_the_end_of_another_agents_run(self):
        host = self.played(first=agent(), sad=FAILS, second=agent(after_first={"on": "agent", "agent": "first"}), third=agent(then={"on": "agent", "agent": "second", "outcome": "completed"}),
                           helper=agent(rescue={"on": "agent", "agent": "sad", "outcome": "failed"}), waits=agent(never={"on": "agent", "agent": "sad"}))
        host.start()
        first = host.wait_run(host.submit("first"))
        [second] = self.ended(host, "second", 1)
        self.assertEqual(second["trigger"], "agent")
        self.assertEqual(second["key"], f"agent:{first['run_id']}/after_first")
        self.assertEqual(second["params"]["trigger"], {"agent_id": "first", "run_id": first["run_id"], "status": "completed", "result": "Said."})
        [third] = self.ended(host, "third", 1)
        self.assertEqual(third["params"]["trigger"]["run_id"], second["run_id"])
        sad = host.wait_run(host.submit("sad"))
        [rescue] = self.ended(host, "helper", 1)
        self.assertEqual(rescue["params"]["trigger"], {"agent_id": "sad", "run_id": sad["run_id"], "status": "failed", "result": "Said."})
        self.assertEqual(self.runs(host, "waits"), [])

    def test_start_once_however_often_the_host_dies(self):
        dies_often = "[limits]\nmax_crashes = 100\n"
        host = self.played(first=agent() + dies_often, second=agent(after={"on": "agent", "agent": "first"}) + dies_often)
        for _ in range(5):
            host.start()
            host.submit("first")
            host.kill()
        host.start()
        self.ended(host, "first", 5)
        seconds = self.ended(host, "second", 5)
        self.assertEqual(sorted(run["params"]["trigger"]["run_id"] for run in seconds), sorted(run["run_id"] for run in self.runs(host, "first")))

    def test_that_never_end_or_follow_nobody_are_refused_by_check_and_serve(self):
        host = self.played(a=agent(t={"on": "agent", "agent": "c"}), b=agent(t={"on": "agent", "agent": "a"}), c=agent(t={"on": "agent", "agent": "b"}),
                           d=agent(t={"on": "agent", "agent": "fin"}), fine=agent())
        done = host.cli("check", "--config", "agentd.toml", check=False)
        self.assertEqual(done.returncode, 2)
        line = agent(t={"on": "agent", "agent": "c"}).splitlines().index('agent = "c"') + 1
        for says in (f"agents/a.toml:{line}:9: this chain never ends: c -> a -> b -> c", f"agents/b.toml:{line}:9: this chain never ends: a -> b -> c -> a",
                     f'agents/d.toml:{line}:9: there is no agent "fin"; did you mean "fine"?'):
            self.assertIn(says, done.stdout)
        host.start()
        self.assertEqual(host.wait_run(host.submit("fine"))["status"], "completed")
        for refused in "abcd":
            self.assertIn(host.request("POST", f"/v1/agents/{refused}/runs", {})[0], (404, 409))
        self.assertIn("this chain never ends: c -> a -> b -> c", host.log())


SECRETS = {"HOOK": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "GITHUB": "It's a Secret to Everybody", "BEARER": "a-token-of-some-length"}


def standard(body, id="msg_1", age=0, secret=SECRETS["HOOK"]):
    sent = str(int(time.time()) - age)
    signature = hmac.new(base64.b64decode(secret[6:]), f"{id}.{sent}.{body}".encode(), hashlib.sha256).digest()
    return {"webhook-id": id, "webhook-timestamp": sent, "webhook-signature": "v1," + base64.b64encode(signature).decode()}


def github(body, delivery="d-1"):
    signature = hmac.new(SECRETS["GITHUB"].encode(), body.encode(), hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={signature}", "X-GitHub-Delivery": delivery, "X-GitHub-Event": "push"}


class Webhooks(Triggers):
    HOOKS = {"deploy": {"on": "webhook", "verify": "standard", "secret": "env:HOOK"}, "push": {"on": "webhook", "verify": "github", "secret": "env:GITHUB"},
             "call": {"on": "webhook", "verify": "bearer", "secret": "env:BEARER"}}

    def send(self, host, path, body="", headers={}, type="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=60)
        try:
            connection.request("POST", f"/v1/hooks/{path}", body, {"Host": "hooks.example.com", "Content-Type": type, **headers})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or "null"), answer.headers
        finally:
            connection.close()

    def hooked(self, **agents):
        host = self.played(worker=agent(**self.HOOKS), **agents)
        host.start(**SECRETS)
        return host

    def test_start_runs_for_requests_that_prove_themselves(self):
        host = self.hooked()
        body = '{"version": 7}'
        status, answer, headers = self.send(host, "worker/deploy", body, standard(body))
        self.assertEqual((status, answer["duplicate"]), (202, False))
        self.assertEqual(headers["Location"], f"/v1/runs/{answer['run_id']}")
        run = host.wait_run(answer["run_id"])
        self.assertEqual((run["status"], run["trigger"], run["params"]), ("completed", "webhook", {"trigger": {"version": 7}}))
        self.assertEqual(run["key"], "webhook:deploy/msg_1")
        status, answer, _ = self.send(host, "worker/push", body, github(body))
        self.assertEqual(host.wait_run(answer["run_id"])["params"], {"trigger": {"version": 7}, "trigger_event": "push"})
        status, answer, _ = self.send(host, "worker/call", "a=b", {"Authorization": "Bearer " + SECRETS["BEARER"]}, "application/x-www-form-urlencoded")
        self.assertEqual(host.wait_run(answer["run_id"])["params"], {"trigger": "a=b"})
        status, answer, _ = self.send(host, "worker/call", "", {"Authorization": "Bearer " + SECRETS["BEARER"]})
        self.assertEqual(host.wait_run(answer["run_id"])["params"], {"trigger": None})

    def test_refuse_everything_else(self):
        host = self.hooked(stopped=agent(**self.HOOKS).replace("[model]", "enabled = false\n[model]", 1))
        body = '{"version": 7}'
        cases = {"no signature": ("worker/deploy", body, {}, 401), "another secret": ("worker/deploy", body, standard(body, secret="whsec_" + "A" * 32), 401),
                 "another body": ("worker/deploy", body + " ", standard(body), 401), "too old": ("worker/deploy", body, standard(body, age=301), 401),
                 "from the future": ("worker/deploy", body, standard(body, age=-302), 401), "no JSON": ("worker/deploy", "{", standard("{"), 400),
                 "GitHub unsigned": ("worker/push", body, {"X-GitHub-Delivery": "d"}, 401), "another token": ("worker/call", body, {"Authorization": "Bearer x"}, 401),
                 "no such trigger": ("worker/other", body, standard(body), 404), "no such agent": ("nobody/deploy", body, standard(body), 404),
                 "stopped": ("stopped/deploy", body, standard(body), 409), "stopped, unsigned": ("stopped/deploy", body, {}, 401), "too long": ("worker/deploy", "x" * (1 << 20 | 1), {}, 413)}
        for name, (path, body, headers, expected) in cases.items():
            with self.subTest(name):
                self.assertEqual(self.send(host, path, body, headers)[0], expected)
        self.assertEqual(self.send(host, "worker/other")[1], self.send(host, "nobody/deploy")[1])
        self.assertEqual(self.runs(host, "worker"), [])
        for secret in SECRETS.values():
            self.assertNotIn(secret, host.log())

    def test_answer_a_repeat_with_the_first_run_also_after_a_restart(self):
        host = self.hooked()
        body = '{"version": 7}'
        first = self.send(host, "worker/deploy", body, standard(body))[1]["run_id"]
        host.kill()
        host.start(**SECRETS)
        self.assertEqual(self.send(host, "worker/deploy", body, standard(body))[1], {"run_id": first, "duplicate": True})
        other = self.send(host, "worker/push", body, github(body, "msg_1"))[1]
        self.assertEqual(other["duplicate"], False)
        again = self.send(host, "worker/call", body, {"Authorization": "Bearer " + SECRETS["BEARER"], "Idempotency-Key": "k"})[1]
        self.assertEqual(self.send(host, "worker/call", body, {"Authorization": "Bearer " + SECRETS["BEARER"], "Idempotency-Key": "k"})[1], {**again, "duplicate": True})

    def test_say_when_the_queue_is_full(self):
        slow = agent(**self.HOOKS) + "[limits]\nqueue_size = 1\n"
        host = self.played(worker=slow)
        (host.folder / "script.toml").write_text('agent = [{ step = [{ delay = "59m", say = "Late." }] }]\n')
        host.start(**SECRETS)
        running = self.send(host, "worker/deploy", "1", standard("1", "m1"))[1]["run_id"]
        until("it runs", lambda: host.run_status(running) == "running")
        self.assertEqual(self.send(host, "worker/deploy", "1", standard("1", "m2"))[0], 202)
        status, _, headers = self.send(host, "worker/deploy", "1", standard("1", "m3"))
        self.assertEqual(status, 429)
        self.assertGreater(int(headers["Retry-After"]), 0)

    def test_have_secrets_that_are_there_and_written_nowhere(self):
        literal = agent(t={"on": "webhook", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
        host = self.played(missing=agent(t={"on": "webhook", "secret": "env:NOBODY_SET_THIS"}), literal=literal, unsuited=agent(t={"on": "webhook", "secret": "env:HOME"}), bare=agent(t={"on": "webhook"}))
        out = host.cli("check", "--config", "agentd.toml", check=False).stdout
        self.assertRegex(out, r'missing\.toml:\d+:10: "secret": the environment has no NOBODY_SET_THIS')
        self.assertRegex(out, r'literal\.toml:\d+:10: "secret" must be a reference')
        self.assertRegex(out, r'unsuited\.toml:\d+:10: "secret": with verify = "standard"')
        self.assertRegex(out, r'bare\.toml:\d+:6: "secret" is missing')
        self.assertNotIn("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", out)


class Files(Triggers):
    def watching(self, **keys):
        host = self.played(clerk=agent(inbox={"on": "file", "path": str(self.folder / "inbox"), "debounce": "200ms", **keys}))
        (self.folder / "inbox").mkdir()
        return host

    def names(self, host, count):
        return [sorted(path.rsplit("/", 1)[1] for path in run["params"]["trigger"]["paths"]) for run in self.ended(host, "clerk", count)]

    def test_start_runs_also_for_what_came_while_no_host_ran(self):
        host = self.watching(glob="*.csv")
        inbox = self.folder / "inbox"
        (inbox / "old.csv").write_text("x")
        (inbox / "other.txt").write_text("x")
        host.start()
        self.assertEqual(self.names(host, 1), [["old.csv"]])
        (inbox / "new.csv").write_text("x")
        self.assertEqual(self.names(host, 2), [["old.csv"], ["new.csv"]])
        host.kill()
        (inbox / "down.csv").write_text("x")
        host.start()
        self.assertEqual(self.names(host, 3), [["old.csv"], ["new.csv"], ["down.csv"]])
        host.kill()
        host.start()
        inbox.rename(self.folder / "away")
        inbox.mkdir()
        (inbox / "replaced.csv").write_text("x")
        self.assertEqual(self.names(host, 4), [["old.csv"], ["new.csv"], ["down.csv"], ["replaced.csv"]])

    def all_handled(self, overlap):
        host = self.watching()
        manifest = self.folder / "agents/clerk.toml"
        manifest.write_text(manifest.read_text().replace('overlap = "queue"', f'overlap = "{overlap}"'))
        for i in range(2100):
            (self.folder / "inbox" / f"{i:04}").touch()
        host.start()
        runs = self.ended(host, "clerk", 3)
        self.assertEqual([(run["status"], len(run["params"]["trigger"]["paths"])) for run in runs], [("completed", 1000), ("completed", 1000), ("completed", 100)])

    def test_that_are_more_than_a_run_takes_do_not_skip_each_other(self):
        self.all_handled("skip")

    def test_that_are_more_than_a_run_takes_do_not_push_each_other_aside(self):
        self.all_handled("cancel_previous")

    def test_come_again_when_the_queue_has_room(self):
        host = self.watching()
        slow = self.folder / "agents/clerk.toml"
        slow.write_text(slow.read_text() + "[limits]\nqueue_size = 1\n")
        (self.folder / "script.toml").write_text('agent = [{ step = [{ delay = "4s", say = "Said." }] }]\n')
        host.start()
        for name in "abcd":
            (self.folder / "inbox" / name).write_text(name)
            time.sleep(1)
        given = lambda status: [sorted(path.rsplit("/", 1)[1] for path in run["params"]["trigger"]["paths"]) for run in self.runs(host, "clerk") if run["status"] == status]
        until("all are handled", lambda: given("completed") == [["a"], ["b"], ["c", "d"]], pause=0.3)
        self.assertEqual(given("dropped"), [["c"]])

    def test_wait_for_a_quiet_moment_of_this_length(self):
        host = self.watching(debounce="3s")
        host.start()
        for name in "abc":
            (self.folder / "inbox" / name).write_text(name)
            time.sleep(0.3)
        self.assertEqual(self.names(host, 1), [["a", "b", "c"]])

    def test_check_says_what_will_not_work(self):
        wrong = {"on": "file", "path": "/nowhere/inbox"}
        host = self.played(notes=agent(t=wrong).replace('overlap = "queue"', 'overlap = "skip"'), slash=agent(t={**wrong, "glob": "sub/*.csv"}), relative=agent(t={"on": "file", "path": "inbox"}))
        done = host.cli("check", "--config", "agentd.toml", check=False)
        self.assertRegex(done.stdout, r'notes\.toml:\d+:8: note: there is no folder /nowhere/inbox now')
        self.assertRegex(done.stdout, r'notes\.toml:\d+:6: note: files that come while a run is alive are skipped')
        self.assertRegex(done.stdout, r'relative\.toml:\d+:8: note: "path" is .*/agents/inbox')
        self.assertRegex(done.stdout, r'slash\.toml:\d+:8: "glob" is for the names of files')
        self.assertEqual(done.returncode, 2)


class Gates(Triggers):
    def test_let_a_slot_run_where_something_has_changed(self):
        watched = self.folder / "watched"
        watched.mkdir()
        host = self.played(reader=agent().replace("[schedule]", f'[gate]\nnative = "changed_files"\nparams = {{ roots = ["{watched}"] }}\n[schedule]\ninterval = "1s"'))
        host.start()
        until("a slot was gated", lambda: any(run["status"] == "skipped" for run in self.runs(host, "reader")))
        (watched / "a.txt").write_text("x")
        ran = until("a slot ran", lambda: [run for run in self.runs(host, "reader") if run["status"] == "completed"])
        self.assertEqual(ran[0]["params"]["changed"]["files"][0]["path"], str(watched / "a.txt"))
        so_far = len(self.runs(host, "reader"))
        until("later ones are gated again", lambda: any(run["status"] == "skipped" for run in self.runs(host, "reader")[so_far:]))
        self.assertEqual(len([run for run in self.runs(host, "reader") if run["status"] == "completed"]), 1)
        gated = host.get("/v1/events?agent=reader&type=background_task_gated")["events"][0]
        self.assertEqual(gated["payload"]["reason"], "no file has changed since the last successful run")
        self.assertTrue(gated["payload"]["scheduled_at"])
        metrics = host.request("GET", "/metrics")[1]
        self.assertRegex(metrics, r'agentd_slots_total\{disposition="started"\} 1\n')
        self.assertRegex(metrics, r'agentd_slots_total\{disposition="gated"\} [1-9]')
        self.assertEqual(host.wait_run(host.submit("reader"))["status"], "completed")  # whoever asks has decided


class RunOnStart(Triggers):
    def test_is_once_over_restarts(self):
        host = self.played(eager=agent().replace("[schedule]", "[schedule]\nrun_on_start = true"))
        for _ in range(3):
            host.start()
            [run] = self.ended(host, "eager", 1)
            host.stop()
        self.assertEqual(run["trigger"], "start")


if __name__ == "__main__":
    unittest.main()
