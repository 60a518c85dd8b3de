"""Results reach who is to be told, also when the receiver is down for a while and the host dies meanwhile."""
import base64
import email
import email.policy
import hashlib
import hmac
import json
import time
import unittest

from agentd import AgentdTest, until
from receiver import MailServer, Receiver

AGENT = """
[model]
provider = "played"
model = "m"
[task]
query = "Say it."
[tools]
allow = ["system.load", "report.nothing_new"]
"""

SCRIPT = """
agent = [
  { match = "other", step = [{ say = "Another one." }] },
  { match = "nothing", step = [{ call = [{ tool = "system.load" }] }, { call = [{ tool = "report.nothing_new" }] }, { say = "Nothing." }] },
  { match = "lazy", step = [{ call = [{ tool = "report.nothing_new" }] }, { say = "Did not look." }] },
  { step = [{ say = "Näme <!channel> @everyone" }] },
]
"""

KEY = base64.b64encode(b"a key of twenty-four byt").decode()


class Deliver(AgentdTest):
    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())
        (self.folder / "script.toml").write_text(SCRIPT)

    def start(self, sinks, **agents):
        config = '[providers.played]\nplugin = "script"\nfile = "script.toml"\n' + sinks.replace("URL", self.receiver.url)
        self.agentd = self.host(config, **{name: AGENT + text for name, text in agents.items()})
        self.agentd.start(HOOK_SECRET="whsec_" + KEY, BOT="12:bot", ROUTE="routing")
        return self.agentd

    def completed(self, agent, **asked):
        run_id = self.agentd.submit(agent, **asked)
        self.assertEqual(self.agentd.wait_run(run_id)["status"], "completed")
        return run_id

    def events(self, kind, run_id):
        return [event["payload"] for event in self.agentd.get(f"/v1/events?run={run_id}&type={kind}")["events"]]

    def metric(self, line):
        return next((row.split()[-1] for row in self.agentd.request("GET", "/metrics")[1].splitlines() if row.startswith(line)), None)

    def test_every_kind_of_sink_is_told(self):
        mails = self.enter(MailServer())
        kinds = ["slack", "discord", "telegram", "pagerduty", "ntfy", "webhook", "file", "log", "mail"]
        self.start(f"""
[sinks.slack]
kind = "slack"
url = "URL/slack"
[sinks.discord]
kind = "discord"
url = "URL/discord"
[sinks.telegram]
kind = "telegram"
token = "env:BOT"
chat_id = 42
base_url = "URL"
[sinks.pagerduty]
kind = "pagerduty"
routing_key = "env:ROUTE"
url = "URL/pager"
[sinks.ntfy]
kind = "ntfy"
url = "URL/topic"
[sinks.webhook]
kind = "webhook"
url = "URL/hook"
secret = "env:HOOK_SECRET"
[sinks.file]
kind = "file"
path = "told.jsonl"
[sinks.log]
kind = "log"
[sinks.mail]
kind = "mail"
url = "{mails.url}"
require_tls = false
from = "agentd@example.org"
to = ["ops@example.org", "boss@example.org"]
""", teller=f"[[deliver]]\nsinks = {json.dumps(kinds)}\n")
        run_id = self.completed("teller")
        until("all were told", lambda: len(self.events("result_delivered", run_id)) == len(kinds))
        self.assertEqual(sorted(event["sink"] for event in self.events("result_delivered", run_id)), sorted(kinds))

        [slack], [discord], [telegram] = (self.receiver.bodies(path) for path in ("/slack", "/discord", "/bot12:bot/sendMessage"))
        self.assertEqual(slack["text"], "teller completed\nNäme &lt;!channel&gt; @everyone")
        self.assertEqual((discord["content"], discord["allowed_mentions"]), ("teller completed\nNäme <!channel> @everyone", {"parse": []}))
        self.assertEqual((telegram["chat_id"], telegram["text"]), (42, discord["content"]))
        [pager], [ntfy] = self.receiver.bodies("/pager"), self.receiver.bodies("/")
        self.assertEqual((pager["routing_key"], pager["event_action"], pager["payload"]["severity"]), ("routing", "trigger", "info"))
        self.assertEqual((ntfy["topic"], ntfy["title"]), ("topic", "teller completed"))

        [hook] = self.receiver.told("/hook")
        signed = f"{hook.headers['webhook-id']}.{hook.headers['webhook-timestamp']}.{hook.body}".encode()
        expected = base64.b64encode(hmac.digest(base64.b64decode(KEY), signed, hashlib.sha256)).decode()
        self.assertEqual(hook.headers["webhook-signature"], "v1," + expected)
        told = json.loads(hook.body)
        self.assertEqual((told["type"], told["data"]["run_id"], told["data"]["result"]), ("run.completed", run_id, "Näme <!channel> @everyone"))
        self.assertEqual([json.loads(line) for line in (self.agentd.folder / "told.jsonl").read_text().splitlines()], [told])
        self.assertIn("teller completed", self.agentd.log())

        [mail] = mails.mails
        parsed = email.message_from_string(mail.text, policy=email.policy.default)
        self.assertEqual((mail.sender, mail.recipients), ("<agentd@example.org>", ["<ops@example.org>", "<boss@example.org>"]))
        self.assertEqual((parsed["Subject"], parsed.get_body(("plain",)).get_content().strip()), ("teller completed", "teller completed\nNäme <!channel> @everyone"))
        self.assertEqual(self.metric('agentd_deliveries_total{outcome="delivered",sink="mail"}'), "1")

    def test_what_was_not_taken_is_told_again_by_the_next_host(self):
        self.receiver.answers["/hook"] = [503]
        self.start('[sinks.hook]\nkind = "webhook"\nurl = "URL/hook"\n[sinks.well]\nkind = "webhook"\nurl = "URL/well"\n', teller='[[deliver]]\nsinks = ["hook", "well"]\n')
        run_id = self.completed("teller")
        until("it was refused", lambda: self.events("result_undelivered", run_id))
        until("the other was told", lambda: self.events("result_delivered", run_id))
        self.agentd.kill()
        self.agentd.start()
        until("it is told", lambda: len(self.events("result_delivered", run_id)) == 2)
        [refused] = self.events("result_undelivered", run_id)
        self.assertEqual((refused["sink"], refused["attempt"], refused["will_retry"], refused["error"]), ("hook", 1, True, "it answered 503: heard"))
        self.assertEqual([(event["sink"], event["attempt"]) for event in self.events("result_delivered", run_id)], [("well", 1), ("hook", 2)])
        first, second = self.receiver.told("/hook")
        self.assertEqual((first.headers["webhook-id"], first.body), (second.headers["webhook-id"], second.body))
        time.sleep(1)  # nobody is told a third time
        self.assertEqual((len(self.receiver.told("/hook")), len(self.receiver.told("/well"))), (2, 1))

    def test_what_a_sink_that_is_taken_out_was_to_be_told_is_said(self):
        self.receiver.answers["/hook"] = [503]
        hook, well = '[sinks.hook]\nkind = "webhook"\nurl = "URL/hook"\n', '[sinks.well]\nkind = "webhook"\nurl = "URL/well"\n'
        self.start(hook + well, teller='[[deliver]]\nsinks = ["hook", "well"]\n')
        run_id = self.completed("teller")
        until("it was refused", lambda: self.events("result_undelivered", run_id))
        until("the other was told", lambda: self.events("result_delivered", run_id))
        self.agentd.stop()
        config, manifest = self.agentd.folder / "agentd.toml", self.agentd.folder / "agents" / "teller.toml"
        whole, everybody = config.read_text(), manifest.read_text()
        config.write_text(whole.replace(hook.replace("URL", self.receiver.url), ""))
        manifest.write_text(everybody.replace('"hook", ', ""))
        self.agentd.start()
        until("it is said", lambda: len(self.events("result_undelivered", run_id)) == 2)
        self.assertEqual([(said["sink"], said["error"]) for said in self.events("result_undelivered", run_id)][1], ("hook", "it is not in agentd.toml any more"))
        self.assertEqual(self.agentd.log().count('sink "hook" is not in agentd.toml any more'), 1)
        self.agentd.stop()
        config.write_text(whole)
        self.agentd.start()  # put back, it is told
        until("it is told", lambda: len(self.events("result_delivered", run_id)) == 2)
        self.assertEqual((len(self.receiver.told("/hook")), len(self.receiver.told("/well"))), (2, 1))

    def test_what_is_refused_for_good_is_said_so(self):
        self.receiver.answers["/hook"] = [400]
        self.start('[sinks.hook]\nkind = "webhook"\nurl = "URL/hook"\n', teller='[[deliver]]\nsinks = ["hook"]\n')
        run_id = self.completed("teller")
        until("it was given up", lambda: self.events("result_undelivered", run_id))
        self.assertFalse(self.events("result_undelivered", run_id)[0]["will_retry"])
        self.assertEqual(self.metric('agentd_deliveries_total{outcome="failed",sink="hook"}'), "1")
        self.assertIn(f"was not told of run {run_id}", self.agentd.log())

    def test_who_wants_changes_is_told_of_changes(self):
        self.start('[sinks.hook]\nkind = "webhook"\nurl = "URL/hook"\n', teller='[[deliver]]\nsinks = ["hook"]\nwhen = "changed"\n')
        for query in ("same", "same", "other", "other", "same"):
            self.completed("teller", query=query)
        until("the last was told", lambda: len(self.receiver.told("/hook")) == 3)
        self.assertEqual([body["data"]["result"][0] for body in self.receiver.bodies("/hook")], ["N", "A", "N"])

    def test_a_change_that_was_refused_is_told_with_the_next_result(self):
        self.receiver.answers["/hook"] = [200, 403, 200]
        self.start('[sinks.hook]\nkind = "webhook"\nurl = "URL/hook"\n', teller='[[deliver]]\nsinks = ["hook"]\nwhen = "changed"\n')
        self.completed("teller", query="same")
        run_id = self.completed("teller", query="other")
        until("it was given up", lambda: self.events("result_undelivered", run_id))
        self.completed("teller", query="other")
        until("it is told", lambda: len(self.receiver.told("/hook")) == 3)
        self.assertEqual([body["data"]["result"][0] for body in self.receiver.bodies("/hook")], ["N", "A", "A"])

    def test_a_sink_that_says_more_than_is_read_was_told(self):
        self.receiver.texts["/hook"] = b"x" * 200_000
        self.start('[sinks.hook]\nkind = "webhook"\nurl = "URL/hook"\n', teller='[[deliver]]\nsinks = ["hook"]\n')
        run_id = self.completed("teller")
        until("it is told", lambda: self.events("result_delivered", run_id))
        self.assertEqual(len(self.receiver.told("/hook")), 1)

    def test_nothing_new_counts_for_who_has_looked(self):
        self.start('[sinks.hook]\nkind = "webhook"\nurl = "URL/hook"\n', teller='[[deliver]]\nsinks = ["hook"]\nwhen = "reported"\n')
        for query in ("nothing", "lazy", "same"):
            self.completed("teller", query=query)
        until("the last was told", lambda: len(self.receiver.told("/hook")) == 2)
        self.assertEqual([body["data"]["result"] for body in self.receiver.bodies("/hook")], ["Did not look.", "Näme <!channel> @everyone"])

    def test_check_finds_what_cannot_work(self):
        agents = {"lost": '[[deliver]]\nsinks = ["ops", "hok"]\n', "mute": '[[deliver]]\nsinks = ["hook"]\nwhen = "reported"\n'}
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n[sinks.hook]\nkind = "webhook"\nurl = "https://example.org/x"\n[sinks.bad]\nkind = "slack"\nulr = "x"\n',
                                lost=AGENT + agents["lost"], mute=AGENT.replace(', "report.nothing_new"', "") + agents["mute"])
        (self.folder / "script.toml").write_text(SCRIPT)
        checked = self.agentd.cli("check", check=False)
        self.assertEqual(checked.returncode, 2)
        for words in ('no sink "ops"', 'no sink "hok": agentd.toml has no [sinks.hok]; did you mean "hook"?', 'needs the tool with which the agent says', '"ulr"', "url"):
            self.assertIn(words, checked.stdout + checked.stderr)


if __name__ == "__main__":
    unittest.main()
