"""A line between a client and a server on loopback that can be held up: what is said stays on its way, as when packets are lost."""
import asyncio
import contextlib
import threading


class Line:
    def __init__(self, to):
        self.to = to
        self.loop = asyncio.new_event_loop()
        self.passes = None  # set while what is said goes on
        self.writers = set()

    async def serve(self):
        self.passes = asyncio.Event()
        self.passes.set()
        self.server = await asyncio.start_server(self.connect, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def connect(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.close()
            return
        self.writers |= {writer, far_writer}
        with contextlib.suppress(asyncio.CancelledError):  # close
            await asyncio.gather(self.carry(reader, far_writer), self.carry(far_reader, writer))

    async def carry(self, reader, writer):
        try:
            while said := await reader.read(1 << 16):
                await self.passes.wait()
                writer.write(said)
                await writer.drain()
        except OSError:
            pass
        finally:
            await self.passes.wait()  # the end of a line does not come through either
            writer.close()
            self.writers.discard(writer)

    def do(self, what):
        self.loop.call_soon_threadsafe(what)

    def hold(self):
        self.do(self.passes.clear)

    def release(self):
        self.do(self.passes.set)

    def __enter__(self):
        self.loop.run_until_complete(self.serve())
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    async def close(self):
        self.passes.set()
        self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.close(), self.loop).result(10)
        self.do(self.loop.stop)
        self.thread.join()
        self.loop.close()
