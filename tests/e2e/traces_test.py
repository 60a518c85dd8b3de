"""A run belongs to the trace of whoever asked for it: in its spans, towards its model, through kills and chains."""
import http.client
import json
import types
import unittest

from agentd import AgentdTest, openai, until
from receiver import Receiver

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
GIVEN = f"00-{TRACE}-{CALLER}-01"
AGENT = """
[model]
provider = "openai"
model = "m"
[task]
query = "How is the load?"
[retry]
delay = "1s"
"""
HOOK = """
[[trigger]]
name = "deploy"
on = "webhook"
verify = "bearer"
secret = "env:BEARER"
"""
FOLLOWER = AGENT + """
[[trigger]]
name = "after"
on = "agent"
agent = "worker"
"""
BEARER = "a bearer token that is long enough for it"
CHAT = "/v1/chat/completions"
ANSWER = {"id": "1", "object": "chat.completion", "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Fine."}, "finish_reason": "stop"}],
          "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}}


class Traces(AgentdTest):
    def setUp(self):
        super().setUp()
        self.receiver = self.enter(Receiver())
        self.receiver.texts[CHAT] = json.dumps(ANSWER).encode()

    def start(self, **agents):
        self.agentd = self.host(openai(types.SimpleNamespace(url=self.receiver.url + "/v1")) + f'[stores.traces]\nplugin = "otlp"\nendpoint = "{self.receiver.url}"\n[events]\nstores = ["traces"]\n',
                                **(agents or {"worker": AGENT}))
        self.agentd.start(BEARER=BEARER)

    def post(self, path, *headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.agentd.port, timeout=60)
        try:
            connection.putrequest("POST", path)
            for name, value in (("Content-Type", "application/json"), ("Content-Length", "2"), *headers):
                connection.putheader(name, value)
            connection.endheaders(b"{}")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def ask(self, *headers, path="/v1/agents/worker/runs"):
        status, text = self.post(path, *headers)
        self.assertEqual(status, 202, text)
        run = json.loads(text)["run_id"]
        self.assertEqual(self.agentd.wait_run(run)["status"], "completed", self.agentd.log())
        return run

    def spans(self, least=0):
        """In their order; waits until there are so many."""
        def arrived():
            return [span for body in self.receiver.bodies("/v1/traces") for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]]
        until(f"{least} spans have come", lambda: len(arrived()) >= least)
        return arrived()

    def told(self):
        return [{name.lower(): value for name, value in request.headers.items()}.get("traceparent") for request in self.receiver.told(CHAT)]

    def test_a_run_is_a_child_of_who_asked_and_its_model_call_of_the_run(self):
        self.start(worker=AGENT + HOOK)
        self.ask(("traceparent", GIVEN), ("tracestate", "vendor=1"))
        call, run = self.spans(2)
        self.assertEqual((run["traceId"], run["parentSpanId"]), (TRACE, CALLER))
        self.assertEqual((call["traceId"], call["parentSpanId"]), (TRACE, run["spanId"]))
        self.assertEqual(self.told(), [f"00-{TRACE}-{call['spanId']}-01"])
        self.ask(("traceparent", GIVEN), ("Authorization", f"Bearer {BEARER}"), path="/v1/hooks/worker/deploy")
        self.assertEqual((self.spans(4)[3]["traceId"], self.spans()[3]["parentSpanId"]), (TRACE, CALLER))

    def test_what_is_no_traceparent_begins_a_trace(self):
        self.start()
        for headers in ((("traceparent", "00-nonsense"),), (("traceparent", GIVEN), ("traceparent", GIVEN)), ()):
            self.ask(*headers)
        spans = self.spans(6)
        self.assertEqual(self.told(), [None] * 3)
        self.assertEqual(len({span["traceId"] for span in spans}), 3)
        self.assertNotIn(TRACE, {span["traceId"] for span in spans})
        self.assertEqual(sum("parentSpanId" not in span for span in spans), 3)

    def test_who_samples_nothing_gets_nothing(self):
        self.start()
        self.ask(("traceparent", GIVEN[:-2] + "00"))
        self.ask()
        self.assertNotIn(TRACE, {span["traceId"] for span in self.spans(2)})
        self.assertRegex(self.told()[0], f"^00-{TRACE}-[0-9a-f]{{16}}-00$")

    def test_a_death_leaves_the_run_in_its_trace(self):
        self.receiver.answers[CHAT] = [503]
        self.start()
        status, text = self.post("/v1/agents/worker/runs", ("traceparent", GIVEN))
        run = json.loads(text)["run_id"]
        until("the failure is on record", lambda: self.agentd.get(f"/v1/events?run={run}&type=model_call_completed")["events"])
        self.agentd.kill()
        self.agentd.start(BEARER=BEARER)
        self.assertEqual(self.agentd.wait_run(run)["status"], "completed")
        until("the run's span has come", lambda: any(span["name"] == "invoke_agent worker" for span in self.spans()))
        spans = list({json.dumps(span): span for span in self.spans()}.values())  # the death may have had some sent again
        self.assertEqual({span["traceId"] for span in spans}, {TRACE})
        self.assertEqual(len({span["spanId"] for span in spans}), len(spans), "the calls, one of them answered, and the run")
        self.assertEqual([span["name"] for span in spans if span["spanId"] == self.told()[-1].split("-")[2]], ["chat m"])

    def test_a_chain_is_one_trace(self):
        self.start(worker=AGENT, follower=FOLLOWER)
        self.ask(("traceparent", GIVEN))
        runs = {}
        for span in self.spans(4):
            if span["name"].startswith("invoke_agent"):
                runs[span["name"]] = span
        first, second = runs["invoke_agent worker"], runs["invoke_agent follower"]
        self.assertEqual((second["traceId"], second["parentSpanId"]), (TRACE, first["spanId"]))

    def test_batches_and_repeats_are_in_the_trace_of_their_request(self):
        self.start()
        first = self.ask()
        status, text = self.post(f"/v1/runs/{first}/replay", ("traceparent", GIVEN))
        self.assertEqual(status, 202, text)
        self.assertEqual(self.agentd.wait_run(json.loads(text)["run_id"])["status"], "completed")
        status, text = self.post("/v1/agents/worker/batches?batch=b", ("traceparent", GIVEN))
        self.assertEqual(status, 200, text)
        self.agentd.wait_run(json.loads(text.splitlines()[0])["run_id"])
        roots = [span for span in self.spans(5) if span.get("parentSpanId") == CALLER]
        self.assertEqual([span["traceId"] for span in roots], [TRACE] * 2)


if __name__ == "__main__":
    unittest.main()
