"""HAProxy in front of a host."""
import re
import unittest

from agentd import AgentdTest
from behind import Behind
from proxies import haproxy


class HaProxy(Behind, AgentdTest):
    put_in_front = staticmethod(haproxy)

    def timeouts(self):
        return [int(seconds) for seconds in re.findall(r"timeout (?:client|server) (\d+)s", (self.proxy.reader.here / "haproxy.cfg").read_text())]


if __name__ == "__main__":
    unittest.main()
