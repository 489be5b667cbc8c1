"""The hub's door for gateways that are not known yet, and for those whose certificate nears its end.

GET /v1/enroll gives the authority's certificate, which a gateway holds against the fingerprint in its token. POST takes
{"token", "request"}, or {"request"} on a line with the old certificate, and answers {"gateway", "certificate"}.
"""

import asyncio
import json
import time
from pathlib import Path

from aiohttp import web

from gateway.core.compat import Clock
from gateway.core.errors import HeedError
from gateway.hub import HUB
from gateway.hub.ca import Authority, Revoked
from gateway.hub.register import Register
from gateway.identity import due_ms, facts_of

SERVER_DAYS = 365
CHECK_MS = 3600000
SERVERS = (("hub.pem", HUB, 0o600), ("broker/broker.pem", "heed-broker", 0o640))
MOSQUITTO = """# For /etc/mosquitto/conf.d/: only gateways with a certificate of this hub come in, each on topics of its own.
# So that Mosquitto may read this folder, now and after renewals: chgrp -R mosquitto {0} && chmod 2750 {0}
listener 8883
cafile {0}/ca.pem
certfile {0}/broker.pem
keyfile {0}/broker.pem
crlfile {0}/crl.pem
require_certificate true
use_identity_as_username true
acl_file {0}/acl
"""
ACL = """user {hub}
topic readwrite heed/v1/#
topic readwrite heed/together/v1/#
pattern write heed/v1/%u/up/#
pattern write heed/v1/%u/state
pattern read heed/v1/%u/ack
pattern read heed/v1/%u/round
pattern read heed/together/v1/+
"""


def make(folder, url, hosts):
    """A folder with all that a hub and its broker need; gives its Authority. An authority that is there stays; the servers'
    certificates are made for `hosts`."""
    authority = Authority.make(folder)
    folder = Path(folder).absolute()
    broker = folder / "broker"
    (folder / "hub.json").write_text(json.dumps({"url": url, "hosts": hosts}))
    (broker / "ca.pem").write_bytes(authority.ca_file.read_bytes())
    (broker / "mosquitto.conf").write_text(MOSQUITTO.format(broker))
    (broker / "acl").write_text(ACL.format(hub=HUB))
    for file, name, mode in SERVERS:
        authority.issue_server(folder / file, name, hosts, SERVER_DAYS, mode)
    return authority


def hub_of(folder):
    """{"url", "hosts"} that a folder was made for. Raises HeedError."""
    try:
        return json.loads((Path(folder) / "hub.json").read_text())
    except (OSError, ValueError) as error:
        raise HeedError("%s/hub.json cannot be read: %s" % (folder, error), "`heed hub init` writes it; the authority stays")


class Enrolment:
    """folder: see make(); days: life of a gateway's certificate; counters: set to those that the hub shows."""

    def __init__(self, folder, days=30):
        self.folder = Path(folder).absolute()
        self.register = Register(Authority(folder), days)
        self.revoked = Revoked(self.register.authority.crl_file)
        self.counters = {}
        self.pem = str(self.folder / "hub.pem")
        self.tls = self.pem, self.pem, str(self.register.authority.ca_file)
        self.context = None

    def routes(self):
        """For Site."""
        return [web.get("/v1/enroll", self.authority), web.post("/v1/enroll", self.enroll)]

    async def authority(self, request):
        """GET /v1/enroll: nothing secret."""
        return web.Response(text=self.register.authority.ca_file.read_text(), content_type="application/x-pem-file")

    async def enroll(self, request):
        """POST /v1/enroll."""
        peer = request.transport.get_extra_info("peercert") if request.transport else None
        try:
            body = json.loads(await request.text())
            asked, token = str(body["request"]), body.get("token")
        except (ValueError, TypeError, KeyError, AttributeError):
            return web.json_response({"error": "send {\"token\", \"request\"}"}, status=400)
        try:
            gateway, pem = await asyncio.to_thread(self._judge, peer, token, asked, request.remote or "")
        except HeedError as error:
            self._count("enrolments_refused")
            return web.json_response({"error": error.message, "hint": error.hint}, status=403)
        self._count("enrolled" if token else "renewed")
        return web.json_response({"gateway": gateway, "certificate": pem})

    def _judge(self, peer, token, asked, address):
        if token:
            return self.register.enrol(str(token), asked, address)
        if not peer:
            raise HeedError("neither a token nor a certificate", "make a token: `heed hub token`")
        names = [value for part in peer["subject"] for key, value in part if key == "commonName"]
        return self.register.renew(names[0] if names else "", peer["serialNumber"].lower().lstrip("0"), asked, address)

    async def run(self, up):
        """Make the servers' certificates anew at two thirds of their life; the hub takes its own into use at once."""
        up()
        while True:
            for server in SERVERS:
                await asyncio.to_thread(self._renew_server, *server)
            if self.context:
                self.context.load_cert_chain(self.pem)
            await Clock.sleep_ms(CHECK_MS)

    def _renew_server(self, file, name, mode):
        path = self.folder / file
        if time.time() * 1000 >= due_ms(facts_of(path)):
            self.register.authority.issue_server(path, name, hub_of(self.folder)["hosts"], SERVER_DAYS, mode)
            self._count("own_renewals")

    def _count(self, name):
        self.counters[name] = self.counters.get(name, 0) + 1
