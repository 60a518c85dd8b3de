"""Where couriers deliver: an endpoint with a journal of its own, which knows nothing of any ledger."""
import asyncio
import collections
import threading
import time

Delivery = collections.namedtuple("Delivery", "at by call taken")  # at: time.time(); by: the path's name, of the replica that sent it


class Doorstep:
    def __init__(self):
        self.journal = []
        self.away = {}  # by whom: in how many seconds to come again
        self.loop = asyncio.new_event_loop()

    def deliveries(self, by=None):
        return [one for one in self.journal if one.taken and by in (None, one.by)]

    async def serve(self):
        self.server = await asyncio.start_server(self.answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def answer(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
                call = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
                by = head[0].split(" ")[1].strip("/")
                again = self.away.get(by)
                self.journal.append(Delivery(time.time(), by, call, again is None))
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntaken" if again is None else
                             f"HTTP/1.1 503 Away\r\nRetry-After: {again}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):  # the last: close
            pass
        finally:
            writer.close()

    def __enter__(self):
        self.loop.run_until_complete(self.serve())
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    async def close(self):
        self.server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.close(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()
