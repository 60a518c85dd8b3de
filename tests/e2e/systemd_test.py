"""What systemd is told: ready, alive, stopping; and nothing while the loop hangs. The other end of its socket is played here."""
import os
import signal
import socket
import unittest

from agentd import PATIENCE, AgentdTest, until


class Notify(AgentdTest):
    def setUp(self):
        super().setUp()
        self.address = str(self.folder / "notify")
        self.socket = self.enter(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.socket.bind(self.address)
        self.socket.settimeout(PATIENCE)

    def heard(self, state):
        """Waits until this is told, past whatever else is."""
        while True:
            if self.socket.recv(4096).decode() == state:
                return

    def drained(self):
        self.socket.setblocking(False)
        count = 0
        try:
            while True:
                self.socket.recv(4096)
                count += 1
        except BlockingIOError:
            self.socket.settimeout(PATIENCE)
            return count

    def test_ready_alive_and_stopping(self):
        host = self.host()
        host.start(wait=False, NOTIFY_SOCKET=self.address, WATCHDOG_USEC="600000")
        self.assertEqual(self.socket.recv(4096), b"READY=1")
        self.assertEqual(host.request("GET", "/readyz")[0], 200)
        for _ in range(3):
            self.heard("WATCHDOG=1")
        host.process.send_signal(signal.SIGTERM)
        self.heard("STOPPING=1")
        self.assertEqual(host.wait_dead(), 0)

    def test_a_host_that_hangs_is_not_alive(self):
        host = self.host()
        host.start(NOTIFY_SOCKET=self.address, WATCHDOG_USEC="300000")
        self.heard("WATCHDOG=1")
        os.kill(host.process.pid, signal.SIGSTOP)
        until("it stands still", lambda: open(f"/proc/{host.process.pid}/stat").read().rsplit(")", 1)[1].split()[0] == "T")
        self.drained()
        self.socket.settimeout(0.5)  # five times as long as it takes to be fed
        with self.assertRaises(TimeoutError):
            self.socket.recv(4096)
        self.socket.settimeout(PATIENCE)
        os.kill(host.process.pid, signal.SIGCONT)
        self.heard("WATCHDOG=1")

    def test_nobody_watches(self):
        host = self.host()
        host.start(NOTIFY_SOCKET=self.address)
        self.assertEqual(self.socket.recv(4096), b"READY=1")
        self.assertEqual(host.stop(), 0)
        self.assertEqual(self.socket.recv(4096), b"STOPPING=1")
        self.assertEqual(self.drained(), 0)


if __name__ == "__main__":
    unittest.main()
