"""A real Prometheus with the configuration of examples/deploy/prometheus, looking once a second at one host."""
import json
import shutil
import subprocess
import urllib.parse
import urllib.request

from agentd import PATIENCE, SOURCE, free_port, until

EXAMPLE = SOURCE / "examples" / "deploy" / "prometheus"


class Prometheus:
    def __init__(self, folder, watched, token="of nobody, for a host that asks nobody"):
        self.folder = folder / "prometheus"
        shutil.copytree(EXAMPLE, self.folder)
        (self.folder / "agentd.token").write_text(token)
        config = self.folder / "prometheus.yml"
        config.write_text(config.read_text().replace("127.0.0.1:8765", watched).replace("_interval: 15s", "_interval: 1s"))
        self.url = f"http://127.0.0.1:{free_port()}"

    def ask(self, path, **parameters):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}", timeout=PATIENCE) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        """[(labels, value)] of an instant vector."""
        return [(series["metric"], float(series["value"][1])) for series in self.ask("query", query=expression)["result"]]

    def has_looked(self):
        try:
            return self.query('up{job="agentd"}')
        except OSError:
            return False

    def __enter__(self):
        command = ["prometheus", f"--config.file={self.folder / 'prometheus.yml'}", f"--storage.tsdb.path={self.folder / 'data'}", f"--web.listen-address={self.url[7:]}", "--log.level=warn"]
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            until("Prometheus has looked at the host", self.has_looked)
        except AssertionError as error:
            self.__exit__()
            raise AssertionError(f"{error}\n{(self.folder / 'log').read_text()}")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
