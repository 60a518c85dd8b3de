"""nginx in front of a host."""
import re
import unittest

from agentd import AgentdTest
from behind import Behind
from proxies import nginx


class Nginx(Behind, AgentdTest):
    put_in_front = staticmethod(nginx)

    def timeouts(self):
        return [int(seconds) for seconds in re.findall(r"proxy_read_timeout (\d+)s", (self.proxy.reader.here / "agentd.conf").read_text())]


if __name__ == "__main__":
    unittest.main()
