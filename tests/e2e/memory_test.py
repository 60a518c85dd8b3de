"""What agents remember, as people see it and add to it."""
import json
import unittest

from agentd import AgentdTest, Endpoint, openai

ASKER = """
[model]
provider = "openai"
model = "test"
[task]
query = "Which disk is the backup disk?"
"""


class Memory(AgentdTest):
    def setUp(self):
        super().setUp()
        self.endpoint = self.enter(Endpoint(self.folder, bodies="yes"))
        self.agentd = self.host(openai(self.endpoint), worker=ASKER, other=ASKER)
        self.agentd.start()

    def post(self, body, agent="worker"):
        status, text = self.agentd.request("POST", f"/v1/memory/{agent}", body)
        return status, json.loads(text)

    def listed(self, *more):
        return [line.split("\t") for line in self.agentd.cli("memory", "list", "worker", *more).stdout.splitlines()]

    def test_what_a_person_adds_a_run_is_told(self):
        said = self.agentd.cli("memory", "add", "worker", "the backup disk is /srv/b", "--key", "disk").stdout
        self.assertEqual(said, "note:disk\n")
        self.agentd.cli("agents", "run", "worker", "--wait")
        asked = json.loads(self.endpoint.journal("asked")[0]["body"])["messages"]
        self.assertTrue(any("the backup disk is /srv/b" in str(message["content"]) for message in asked), asked)
        self.assertEqual([(entry["type"], entry["text"]) for entry in self.agentd.get("/v1/memory/worker?query=backup")["entries"] if entry["type"] == "long_term"], [("long_term", "the backup disk is /srv/b")])
        self.assertGreaterEqual(len(self.listed("--type", "episodic")), 2, "what was said in the run")
        self.assertEqual(self.agentd.get("/v1/memory/other")["entries"], [])

    def test_a_key_names_one_entry(self):
        self.agentd.cli("memory", "add", "worker", "the disk is a", "--key", "disk")
        self.agentd.cli("memory", "add", "worker", "the disk is b", "--key", "disk")
        self.assertEqual([row[4] for row in self.listed()], ["the disk is b"])
        self.agentd.kill()
        self.agentd.start()
        self.assertEqual([row[4] for row in self.listed()], ["the disk is b"])
        self.agentd.cli("memory", "forget", "worker", "note:disk")
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.agentd.cli("memory", "forget", "worker", "note:disk", check=False).returncode, 1)

    def test_a_key_names_one_entry_wherever_its_type_is_kept(self):
        self.agentd.kill()
        config, agent = self.folder / "agentd.toml", self.folder / "agents" / "worker.toml"
        config.write_text(config.read_text() + '[stores.ways]\nplugin = "sqlite"\npath = "ways"\n')
        agent.write_text(agent.read_text() + '[memory]\nstores = { procedural = "ways" }\n')
        self.agentd.start()
        for kind in ("long_term", "procedural", "long_term"):
            self.agentd.cli("memory", "add", "worker", f"as {kind}", "--key", "disk", "--type", kind)
            self.assertEqual([row[4] for row in self.listed()], [f"as {kind}"])

    def test_pages_are_whole(self):
        ids = [self.post({"text": f"fact {i}"})[1]["id"] for i in range(7)]
        seen, cursor = [], ""
        while True:
            page = self.agentd.get(f"/v1/memory/worker?limit=3{cursor}")
            seen += [entry["id"] for entry in page["entries"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        self.assertEqual(seen, ids[::-1])
        self.assertEqual(len(self.agentd.cli("memory", "search", "worker", "fact", "--limit", "4").stdout.splitlines()), 4)

    def test_refuses_what_makes_no_sense(self):
        for body, pointer in (({}, "/text"), ({"text": ""}, "/text"), ({"text": 1}, "/text"), ({"text": "x", "type": "episodic"}, "/type"), ({"text": "x", "type": "facts"}, "/type"),
                              ({"text": "x" * 70000}, "/text"), ({"text": "x", "who": "me"}, "/who")):
            status, problem = self.post(body)
            self.assertEqual((status, problem["errors"][0]["pointer"]), (422, pointer), problem)
        self.assertEqual(self.post({"text": "x"}, "nobody")[0], 404)
        for query in ("type=facts", "limit=0", "cursor=x", "cursor=18446744073709551615", "cursor=5.99", "limit=1001"):
            self.assertEqual(self.agentd.request("GET", f"/v1/memory/worker?{query}")[0], 400, query)
        self.assertEqual(self.listed(), [])


if __name__ == "__main__":
    unittest.main()
