"""The dashboard's pages come out of the binary: with their types, kept where they may be, and under a policy that runs nothing else."""
import http.client
import re
import unittest

from agentd import PATIENCE, SOURCE, AgentdTest

POLICY = {"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'", "base-uri 'none'",
          "frame-ancestors 'none'", "form-action 'none'"}


class Pages(AgentdTest):
    def setUp(self):
        super().setUp()
        self.agentd = self.host("").start()

    def get(self, path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.agentd.port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()

    def prefix(self):
        return re.search(r'src="(assets/[0-9a-f]{16})/main.js"', self.get("/")[2])[1]

    def test_the_front_page_runs_its_own_scripts_and_nothing_else(self):
        status, headers, body = self.get("/")
        self.assertEqual((status, headers["Content-Type"], headers["Cache-Control"]), (200, "text/html; charset=utf-8", "no-cache"))
        self.assertEqual(set(headers["Content-Security-Policy"].split("; ")), POLICY)
        self.assertEqual((headers["X-Content-Type-Options"], headers["Referrer-Policy"]), ("nosniff", "no-referrer"))
        self.assertNotRegex(body, r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=|https?://")
        self.assertNotIn("@version@", body)

    def test_everything_that_pages_ask_for_is_there_and_may_be_kept_for_good(self):
        prefix = self.prefix()
        types = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
        folder = SOURCE / "host" / "web"
        files = [file for file in folder.rglob("*") if file.suffix in types]
        self.assertGreater(len(files), 20)
        for file in files:
            path = file.relative_to(folder).as_posix()
            status, headers, body = self.get(f"/{prefix}/{path}")
            self.assertEqual((path, status, headers["Content-Type"]), (path, 200, types[file.suffix] + "; charset=utf-8"))
            self.assertEqual(headers["Cache-Control"], "public, max-age=31536000, immutable")
            self.assertTrue(body == file.read_text(), path)
            for module in re.findall(r"^(?:import|export) .*from '(\./|\.\./)([^']*)';$", body, re.MULTILINE):
                self.assertTrue((file.parent / "".join(module)).is_file(), f"{path} asks for {module}")

    def test_what_a_browser_has_is_not_sent_again(self):
        for path in ("/", f"/{self.prefix()}/main.js"):
            tag = self.get(path)[1]["ETag"]
            status, headers, body = self.get(path, If_None_Match=tag)
            self.assertEqual((status, headers["ETag"], body), (304, tag, ""))
            self.assertEqual(self.get(path, If_None_Match='"another"')[0], 200)
        status, headers, body = self.get("/", method="HEAD")
        self.assertEqual((status, body), (200, ""))
        self.assertEqual(int(headers["Content-Length"]), len(self.get("/")[2]))

    def test_nothing_else_is_there(self):
        prefix = self.prefix()
        for path in (f"/{prefix}/none.js", f"/{prefix}/index.html", f"/{prefix}/views/../main.js", "/assets/0123456789abcdef/main.js",
                     f"/{prefix}/CMakeLists.txt", f"/{prefix}/..%2f..%2fagentd.toml", "/assets"):
            self.assertIn(self.get(path)[0], (400, 404), path)
        self.assertEqual(self.get("/", method="DELETE")[0], 405)
        self.assertEqual(self.get("/", Host="evil.example")[0], 403)


if __name__ == "__main__":
    unittest.main()
