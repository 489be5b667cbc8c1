"""A line that can be cut: a TCP relay on the loopback, for demos and tests."""

import asyncio


class Link:
    """Relays from its own `port` to `far`, within `async with`. cut() ends what runs through it and refuses what comes; heal() lets
    through again."""

    def __init__(self, far):
        self.far = far
        self.up = True
        self.writers = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.cut()
        self.server.close()

    def cut(self):
        """From now on nothing passes."""
        self.up = False
        for writer in self.writers:
            writer.transport.abort()

    def heal(self):
        """From now on all passes."""
        self.up = True

    async def _serve(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.far) if self.up else (None, None)
        except OSError:
            far_writer = None
        if not far_writer or not self.up:
            return writer.transport.abort()
        self.writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self.writers -= {writer, far_writer}

    async def _pump(self, reader, writer):
        """Pass on until either side ends."""
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()
