"""The hub's HTTP side: batches in, and what a person or Prometheus asks for."""

import hmac
import ssl

from aiohttp import web

from gateway import tls
from gateway.core.errors import ConfigError, NotConnected, Rejected
from gateway.forms.compress import NAMES
from gateway.forms.prometheus import text_of
from gateway.hub import HUB
from gateway.hub.ingest import MAX_PACKED

MAX_RECORDS = 1000
READS = ("/v1/gateways", "/v1/records", "/v1/rounds")


class Site:
    """token: bearer token that all gateways share, "" = none; tls: (cert, key, client CA) files or None; revoked(serial in hex):
    whether a certificate is to be refused.

    With a client CA a gateway needs a certificate, and its common name must be its name; it reads
    nothing of the others.
    """

    def __init__(self, ingest, token="", tls=None, extra=None, revoked=None):
        self.ingest = ingest
        self.token = token
        self.tls = tls
        self.revoked = revoked
        self.context = None
        self.application = web.Application(client_max_size=MAX_PACKED, middlewares=[self._guard])
        self.application.add_routes([
            web.post("/v1/batches", self.batches), web.get("/v1/gateways", self.gateways), web.get("/v1/records", self.records),
            web.get("/metrics", self.metrics), web.get("/health", self.health), *(extra or ())])
        self.runner = web.AppRunner(self.application, auto_decompress=False, access_log=None)

    async def start(self, host, port):
        """Listen; gives the port."""
        await self.runner.setup()
        self.context = self._context()
        site = web.TCPSite(self.runner, host, port, ssl_context=self.context)
        await site.start()
        return self.runner.addresses[0][1]

    def _context(self):
        if not self.tls:
            return None
        context = tls.served(*self.tls)
        if self.tls[2]:
            context.verify_mode = ssl.CERT_OPTIONAL  # enrolment comes without one
        return context

    @web.middleware
    async def _guard(self, request, handler):
        """A wrong token, or a missing certificate, goes no further."""
        if request.path in ("/health", "/v1/enroll"):
            return await handler(request)
        given = request.headers.get("Authorization", "")
        if self.token and not hmac.compare_digest(given.encode(), ("Bearer " + self.token).encode()):
            return web.json_response({"error": "wrong or missing token"}, status=401)
        if self.tls and self.tls[2] and not self._name(request):
            return web.json_response({"error": "a client certificate is needed"}, status=403)
        if self.revoked and self.revoked(request.transport.get_extra_info("peercert")["serialNumber"]):
            return web.json_response({"error": "the certificate of %s is revoked" % self._name(request)}, status=403)
        if request.path in READS and self._name(request) not in (None, HUB, request.query.get("gateway")):
            return web.json_response({"error": "a gateway reads what it sent itself; the hub's own certificate reads all"}, status=403)
        return await handler(request)

    def _name(self, request):
        """Common name of the client's certificate, or None."""
        return tls.common_name(request.transport)

    async def batches(self, request):
        """POST /v1/batches: an envelope, compressed or not."""
        headers = {"Accept-Encoding": ", ".join(NAMES)}
        try:
            batch, mark = await self.ingest.take(await request.read(), self._name(request))
        except Rejected as error:
            return web.json_response({"error": error.message}, status=422, headers=headers)
        except ConfigError as error:
            return web.json_response({"error": str(error)}, status=403, headers=headers)
        except NotConnected as error:
            return web.json_response({"error": error.message}, status=503, headers=dict(headers, **{"Retry-After": "5"}))
        return web.json_response({"epoch": batch.epoch, "acknowledged": mark}, headers=headers)

    async def gateways(self, request):
        """GET /v1/gateways: who was seen when, and what is missing."""
        return web.json_response(await self.ingest.ask(self.ingest.store.gateways))

    async def records(self, request):
        """GET /v1/records?gateway=&epoch=&after=&limit=: stored records in order."""
        query = request.query
        try:
            after, limit = int(query.get("after", 0)), min(MAX_RECORDS, int(query.get("limit", 100)))
            gateway, epoch = query["gateway"], query["epoch"]
        except (KeyError, ValueError):
            return web.json_response({"error": "give gateway and epoch; after and limit are numbers"}, status=400)
        return web.json_response(await self.ingest.ask(self.ingest.store.records, gateway, epoch, after, limit))

    async def metrics(self, request):
        """GET /metrics for Prometheus."""
        facts = {"hub_" + name + "_total": value for name, value in self.ingest.counters.items()}
        return web.Response(text=text_of(facts), content_type="text/plain")

    async def health(self, request):
        """GET /health: 200 while the store works."""
        return web.json_response({"fault": self.ingest.fault}, status=503 if self.ingest.fault else 200)

    async def stop(self):
        """Stop listening."""
        await self.runner.cleanup()
