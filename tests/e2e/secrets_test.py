"""A secret goes to the endpoint it is for, in the header it is for, and nowhere else: not into a prompt, a record, an event or the log."""
import base64
import unittest

from agentd import AgentdTest, openai

KEY = 'sk-e2e-"0123456789"'
TASK = '[model]\nprovider = "openai"\nmodel = "m"\n[task]\nquery = "Look"\n[retry]\nmax_retries = 0\n'


class Secrets(AgentdTest):
    def test_are_read_by_nobody(self):
        endpoint = self.endpoint(rounds=0, bodies="yes")
        host = self.host(openai(endpoint, api_key="env:E2E_KEY"), said=TASK.replace("Look", "Look at " + KEY.replace('"', '\\"')))
        host.start(E2E_KEY=KEY)
        coded = base64.b64encode(f"user:{KEY}".encode()).decode()
        run = host.submit("said", query=f"Is {KEY} or {coded} right?", params={"key": KEY, KEY: 1})
        other = host.submit("said")
        for each in (run, other):
            self.assertEqual(host.wait_run(each)["status"], "completed")
        seen = [host.request("GET", path)[1] for path in (f"/v1/runs/{run}", f"/v1/runs/{run}/steps", "/v1/events?limit=1000", "/v1/agents/said", f"/v1/runs/{other}/steps")]
        host.stop()
        seen.append(host.log())
        kept = b"".join(file.read_bytes() for file in host.state.rglob("*") if file.is_file())
        for text in seen + [kept.decode(errors="replace"), endpoint.journal_file.read_text()]:
            for form in (KEY, KEY.replace('"', '\\"'), KEY.replace('"', '\\\\\\"'), coded[8:-4]):
                self.assertNotIn(form, text)
        self.assertIn("[secret] or ", seen[0])
        self.assertIn("[secret] or ", endpoint.journal_file.read_text())


if __name__ == "__main__":
    unittest.main()
