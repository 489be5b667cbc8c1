"""The gateway's own health for a Prometheus on this machine: http://127.0.0.1:PORT/metrics."""

from aiohttp import web

from gateway.forms.prometheus import CONTENT_TYPE, of_snapshot, text_of
from gateway.web.listen import serve

HOST = "127.0.0.1"


class Metrics:
    """status: gateway.status.Status; port: of the loopback alone, since nobody is asked who they are."""

    def __init__(self, status, port):
        self.status = status
        self.port = port

    async def run(self, up):
        """Serve until cancelled. Raises NotConnected where the port is taken."""
        application = web.Application()
        application.router.add_get("/metrics", self.answer)
        await serve(application, (HOST, self.port), up, "set another metrics_port in [gateway]")

    async def answer(self, request):
        """GET /metrics."""
        text = text_of(of_snapshot(self.status.snapshot()))
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE + "; charset=utf-8"})
