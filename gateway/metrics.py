"""The gateway's own health for a Prometheus on this machine: http://127.0.0.1:PORT/metrics."""

import asyncio

from aiohttp import web

from gateway.core.errors import NotConnected
from gateway.forms.prometheus import CONTENT_TYPE, of_snapshot, text_of

HOST = "127.0.0.1"


class Metrics:
    """status: gateway.status.Status; port: of the loopback alone, since nobody is asked who they are."""

    def __init__(self, status, port):
        self.status = status
        self.port = port

    async def run(self, up):
        """Serve until cancelled. Raises NotConnected where the port is taken."""
        application = web.Application()
        application.router.add_get("/metrics", self._metrics)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self.port).start()
            up()
            await asyncio.Event().wait()
        except OSError as error:
            raise NotConnected("port %d for metrics: %s" % (self.port, error.strerror), "set another metrics_port in [gateway]")
        finally:
            await runner.cleanup()

    async def _metrics(self, request):
        text = text_of(of_snapshot(self.status.snapshot()))
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE + "; charset=utf-8"})
