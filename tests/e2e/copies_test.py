"""Copies of events over HTTP: every event and every span arrives while receivers are down for a while and the host is killed."""
import base64
import hashlib
import hmac
import unittest

from agentd import AgentdTest, until
from receiver import Receiver

AGENT = """
[model]
provider = "played"
model = "m"
[task]
query = "How is the load?"
[tools]
allow = ["system.load"]
"""
SCRIPT = 'agent = [{ step = [{ call = [{ tool = "system.load" }] }, { say = "It is fine." }] }]\n'
KEY = base64.b64encode(b"a key of twenty-four byt").decode()


class Copies(AgentdTest):
    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())
        (self.folder / "script.toml").write_text(SCRIPT)
        url = self.receiver.url
        self.agentd = self.host('[providers.played]\nplugin = "script"\nfile = "script.toml"\n'
                                f'[stores.hooks]\nplugin = "webhook"\nurl = "env:HOOK_URL"\nsecret = "env:HOOK_SECRET"\nagents = ["first"]\n'
                                f'[stores.traces]\nplugin = "otlp"\nendpoint = "{url}"\nheaders = {{ x-key = "env:TRACES_KEY" }}\n'
                                '[events]\nstores = ["hooks", "traces"]\n', first=AGENT, second=AGENT)
        self.start()

    def start(self):
        self.agentd.start(HOOK_URL=self.receiver.url + "/hooks", HOOK_SECRET="whsec_" + KEY, TRACES_KEY="let me in")

    def events_of(self, agent):
        page, all_of_them = self.agentd.get(f"/v1/events?agent={agent}&limit=1000"), []
        while True:
            all_of_them += page["events"]
            if not page["next"]:
                return all_of_them
            page = self.agentd.get(f"/v1/events?agent={agent}&limit=1000&since={page['next']}")

    def arrived(self):
        """Each event once, in the order of its first arrival, though some came more than once."""
        return list({body["data"]["id"]: body["data"] for body in self.receiver.bodies("/hooks")}.values())

    def spans(self):
        found = {}
        for body in self.receiver.bodies("/v1/traces"):
            for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]:
                found.setdefault(span["spanId"], span)
        return found

    def test_everything_arrives_through_kills_and_refusals(self):
        self.receiver.answers["/hooks"] = [500, 429, 503]
        self.receiver.answers["/v1/traces"] = [503]
        runs = []
        for round_ in range(3):
            runs += [self.agentd.submit("first"), self.agentd.submit("second")]
            self.agentd.wait_run(runs[-2]), self.agentd.wait_run(runs[-1])
            self.agentd.kill()
            self.start()
        wanted = self.events_of("first")
        until("every event has arrived", lambda: len(self.arrived()) >= len(wanted))
        self.assertEqual(self.arrived(), wanted)
        until("every run has its span", lambda: sum("parentSpanId" not in span for span in self.spans().values()) == len(runs))
        spans = self.spans().values()
        roots = {span["spanId"]: span for span in spans if "parentSpanId" not in span}
        self.assertEqual(len(spans), len(runs) * 4, "a run, two model calls and a tool call each")
        for span in spans:
            if "parentSpanId" in span:
                self.assertEqual(span["traceId"], roots[span["parentSpanId"]]["traceId"])
        for request in self.receiver.told("/v1/traces"):
            self.assertEqual(request.headers["x-key"], "let me in")
        for request in self.receiver.told("/hooks"):
            signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.{request.body}".encode()
            expected = base64.b64encode(hmac.new(base64.b64decode(KEY), signed, hashlib.sha256).digest()).decode()
            self.assertEqual(request.headers["webhook-signature"], "v1," + expected)
        for secret in (KEY, "let me in", "/hooks"):
            self.assertNotIn(secret, self.agentd.log())
            self.assertNotIn(secret, self.agentd.cli("check", "--config", "agentd.toml", check=False).stdout)


if __name__ == "__main__":
    unittest.main()
