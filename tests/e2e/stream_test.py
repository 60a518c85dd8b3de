"""A model's words as they come, for those who ask for them by name."""
import json
import threading
import time
import unittest
import urllib.request

from agentd import AgentdTest, openai, until

AGENT = """
[model]
provider = "openai"
model = "test"
[task]
query = "How is the load?"
[tools]
allow = ["system.load"]
"""
TEXT = "The load is fine, as it was before."


class Stream(AgentdTest):
    def setUp(self):
        super().setUp()
        self.model = self.endpoint(tool="system__load", text=TEXT, chunks=5, bodies="yes")
        self.agentd = self.host(openai(self.model), watcher=AGENT)
        self.agentd.start()
        self.seen = []

    def follow(self, query):
        """Reads the event stream in the background, from now on."""
        request = urllib.request.Request(f"{self.agentd.url}/v1/events?{query}", headers={"Accept": "text/event-stream"})
        answer = urllib.request.urlopen(request, timeout=60)
        self.addCleanup(answer.close)

        def read():
            name = ""
            for line in answer:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    self.seen.append((name, json.loads(line[6:])))

        threading.Thread(target=read, daemon=True).start()
        until("the stream is open", lambda: answer.status == 200)

    def ended(self):
        return any(event["type"] == "background_task_completed" for _, event in self.seen)

    def asked_to_stream(self):
        return ["\"stream\":true" in entry["body"] for entry in self.model.journal("asked")]

    def test_comes_to_those_who_ask_for_it(self):
        self.follow("type=model_delta&type=background_task_completed")
        run = self.agentd.submit("watcher")["run_id"]
        until("the run has ended", self.ended)
        words = [event for name, event in self.seen if name == "model_delta"]
        self.assertEqual({event["run_id"] for event in words}, {run})
        self.assertTrue(all("id" not in event for event in words))
        self.assertEqual("".join(event["payload"]["text"] for event in words if event["payload"]["kind"] == "text" and event["payload"]["step"] == 2), self.answer(run))
        self.assertTrue(any(event["payload"].get("tool") == "system__load" for event in words), words)

    def test_is_not_made_for_others(self):
        self.follow("type=background_task_completed")
        self.agentd.submit("watcher")
        until("the run has ended", self.ended)
        self.assertEqual([name for name, _ in self.seen], ["background_task_completed"])
        self.assertEqual(self.asked_to_stream(), [False, False])

    def answer(self, run):
        return self.agentd.get(f"/v1/runs/{run}")["result"]


if __name__ == "__main__":
    unittest.main()
