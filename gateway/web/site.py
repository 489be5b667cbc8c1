"""The local door as a child of the supervisor: API, page and metrics on one port.

Off unless the settings have [web]: it takes a port, memory, and words from whoever is on this machine.
"""

import base64
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aiohttp import web

from gateway.attention.desk import Desk
from gateway.attention.store import FILE, AttentionStore
from gateway.metrics import Metrics
from gateway.web.admission import Admission
from gateway.web.api import Api
from gateway.web.listen import serve

PAGE = Path(__file__).with_name("page.html")
MAX_BODY = 4096
NOTHING = ":memory:"  # where nothing learns there is no file, and the API shows that there is nothing


def policy(page):
    """Content-Security-Policy of a page that loads nothing: its own script and style by their digests, and pictures that it fetched."""
    digests = {tag: base64.b64encode(hashlib.sha256(re.search("<%s>(.*?)</%s>" % (tag, tag), page, re.S)[1].encode()).digest()).decode()
               for tag in ("script", "style")}
    return ("default-src 'none'; connect-src 'self'; img-src blob: data:; script-src 'sha256-%(script)s'; style-src 'sha256-%(style)s'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'" % digests)


class Site:
    """config: gateway.web.settings.WebConfig; folder: data folder; status: gateway.status.Status; doors: see Desk."""

    def __init__(self, config, folder, status, doors):
        self.config, self.path, self.status, self.doors = config, folder / FILE, status, doors
        self.admission = Admission(config)
        self.counters = self.admission.counters
        self.page = PAGE.read_text(encoding="utf-8")
        self.headers = {"Content-Security-Policy": policy(self.page)}

    async def run(self, up):
        """Serve until cancelled. Raises NotConnected where the port is taken."""
        store = AttentionStore(self.path if self.path.exists() else NOTHING)
        worker = ThreadPoolExecutor(1, "web")
        application = web.Application(client_max_size=MAX_BODY, middlewares=[self.admission.answer])
        application.add_routes([web.get("/", self._page), web.get("/metrics", Metrics(self.status, 0).answer),
                                *Api(Desk(store, self.doors), self.status, worker).routes()])
        try:
            await serve(application, (self.config.host, self.config.port), up, "set another listen in [web]", self.config.tls)
        finally:
            worker.shutdown()
            store.close()

    async def _page(self, request):
        return web.Response(text=self.page, content_type="text/html", headers=self.headers)
