"""A model's words as they come, for those who ask for them by name."""
import json
import subprocess
import threading
import unittest

from agentd import AGENTD, WATCHER, AgentdTest, openai, until

TEXT = "The load is fine, as it was before."


class Stream(AgentdTest):
    def setUp(self):
        super().setUp()
        self.model = self.endpoint(tool="system__load", text=TEXT, chunks=5, bodies="yes")
        self.agentd = self.host(openai(self.model), watcher=WATCHER)
        self.agentd.start()
        self.seen = []

    def follow(self, *types):
        """Follows the events of these types in the background."""
        command = [str(AGENTD), "events", "--follow", "--json", "--since", "0000000000000000-000"] + [word for kind in ("host_started", *types) for word in ("--type", kind)]
        follower = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.agentd.environment())
        reader = threading.Thread(target=lambda: self.seen.extend(map(json.loads, iter(follower.stdout.readline, ""))))
        reader.start()

        def stop():
            follower.kill()
            follower.wait()
            reader.join()
            follower.stdout.close()

        self.addCleanup(stop)
        until("the follower is there", lambda: self.types("host_started"))

    def types(self, *wanted):
        return [event["type"] for event in self.seen if event["type"] in wanted]

    def ended(self):
        return self.types("background_task_completed")

    def asked_to_stream(self):
        return ["\"stream\":true" in entry["body"] for entry in self.model.journal("asked")]

    def test_comes_to_those_who_ask_for_it(self):
        self.follow("model_delta", "background_task_completed")
        run = self.agentd.submit("watcher")
        until("the run has ended", self.ended)
        words = [event for event in self.seen if event["type"] == "model_delta"]
        self.assertEqual({event["run_id"] for event in words}, {run})
        self.assertTrue(all("id" not in event for event in words))
        self.assertEqual("".join(event["payload"]["text"] for event in words if event["payload"]["kind"] == "text" and event["payload"]["step"] == 2), self.answer(run))
        self.assertTrue(any(event["payload"].get("tool") == "system__load" for event in words), words)

    def test_is_not_made_for_others(self):
        self.follow("background_task_completed")
        self.agentd.submit("watcher")
        until("the run has ended", self.ended)
        self.assertFalse(self.types("model_delta"))
        self.assertEqual(self.asked_to_stream(), [False, False])

    def answer(self, run):
        return self.agentd.get(f"/v1/runs/{run}")["result"]


if __name__ == "__main__":
    unittest.main()
