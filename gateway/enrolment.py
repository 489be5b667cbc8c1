"""Getting a certificate from a hub, once by a token, then again and again by the certificate itself.

A token is https://HOST:PORT/#FINGERPRINT.SECRET: where the hub is, which authority to believe, and what lets this gateway in.
The secret is sent only to a hub that this authority vouches for.
"""

import asyncio
import hashlib
import hmac
import http.client
import json
import ssl
from urllib.parse import urlsplit

from gateway import tls
from gateway.core.compat import Clock, ticks_diff
from gateway.core.errors import ConfigError, HeedError, NotConnected
from gateway.identity import Identity, due_ms, facts_of

TIMEOUT_S = 20
MAX_ANSWER = 65536
LOOK_MS = 600000  # how often the clock is looked at while a certificate has time
AGAIN_MS = 600000  # how long after a try to renew the next comes: also when a clock that is wrong calls the new one due
DAY_MS = 86400000


def token_of(url, fingerprint, secret):
    """The one word that a person carries from the hub to the gateway."""
    return "%s/#%s.%s" % (url.rstrip("/"), fingerprint, secret)


def parse(token):
    """(url, fingerprint, secret) of a token. Raises ConfigError."""
    url, _, tail = token.strip().partition("#")
    fingerprint, _, secret = tail.partition(".")
    try:
        host, port = host_port(url)
        if len(bytes.fromhex(fingerprint)) == 32 and secret:
            return "https://%s:%d" % (bracketed(host), port), fingerprint.lower(), secret
    except (ConfigError, ValueError):
        pass
    raise ConfigError("that is no token", "copy the whole line that `heed hub token` printed, in quotation marks")


def host_port(url):
    """(host, port) of the address of a hub. Raises ConfigError."""
    try:
        where = urlsplit(url)
        if where.scheme == "https" and where.hostname and not where.path.strip("/"):
            return where.hostname, where.port or 443
    except ValueError:  # a port that is none
        pass
    raise ConfigError("a hub's address is not %r" % url, "write https://host:port")


def bracketed(host):
    """A host as it stands in an address."""
    return "[%s]" % host if ":" in host else host


def ask(url, context, options, body=None):
    """Status and text of GET, or of POST with a JSON body, at /v1/enroll. Raises NotConnected."""
    where = urlsplit(url)
    line = http.client.HTTPSConnection(where.hostname, where.port, timeout=TIMEOUT_S, context=context)
    try:
        line.request("POST" if body else "GET", "/v1/enroll", body and json.dumps(body), {"Content-Type": "application/json"})
        answer = line.getresponse()
        return answer.status, answer.read(MAX_ANSWER).decode()
    except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
        message, hint = tls.explain(error, options, hint="is the hub up, and does its address end there?")
        raise NotConnected("%s: %s" % (url, message), hint)
    finally:
        line.close()


def authority_of(url, fingerprint):
    """The hub's authority (PEM), fetched from whoever answers and held against the fingerprint. Raises HeedError."""
    unproven = ssl.create_default_context()
    unproven.check_hostname, unproven.verify_mode = False, ssl.CERT_NONE
    status, pem = ask(url, unproven, {})
    try:
        der = ssl.PEM_cert_to_DER_cert(pem) if status == 200 else b""
    except ValueError:
        der = b""
    if not der:
        raise HeedError("%s answers with no certificate of an authority (status %d)" % (url, status), "is it a Heed hub with `--ca`?")
    if not hmac.compare_digest(hashlib.sha256(der).hexdigest(), fingerprint):
        raise HeedError("%s is not the hub that made this token, or somebody sits in between" % url,
                        "the token was not sent; compare the fingerprint with `heed hub token` on the hub")
    return ssl.DER_cert_to_PEM_cert(der)  # what was proven, and nothing that came behind it


def certificate_of(url, ca, body, identity, options):
    """Send a request, take what comes into use; gives the facts of the new certificate. Raises HeedError."""
    context = ssl.create_default_context(cadata=ca)
    if options:
        context.load_cert_chain(options["cert_file"])
    status, text = ask(url, context, options, body)
    try:
        answer = json.loads(text)
        if status == 403:
            raise HeedError("the hub refuses: %s" % answer["error"], answer.get("hint") or tls.ENROL)
        identity.install(answer["certificate"], ca, url)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotConnected("%s answers with status %d and no certificate" % (url, status), "is it a Heed hub with `--ca`?")
    return facts_of(identity.file)


def enrol(token, data):
    """Get the first certificate for the gateway whose data folder is `data`; gives its facts. Raises HeedError."""
    url, fingerprint, secret = parse(token)
    identity = Identity(data)
    ca = authority_of(url, fingerprint)
    return certificate_of(url, ca, {"token": secret, "request": identity.request()}, identity, {})


def renew(data):
    """Get the next certificate by the one that still holds; gives its facts. Raises HeedError."""
    identity = Identity(data)
    options = {"cert_file": str(identity.file)}
    return certificate_of(identity.hub(), identity.ca_file.read_text(), {"request": identity.request()}, identity, options)


class Renewal:
    """Child of the supervisor: renews at two thirds of the certificate's life. Uplinks take the new file at their next connect."""

    def __init__(self, data, clock=Clock):
        self.data = data
        self.clock = clock
        self.tried = None
        self.counters = {"renewed": 0, "failed_renewals": 0, "days_left": 0}

    async def run(self, up):
        """Renew for ever. Raises NotConnected, with the days that are left, while it cannot."""
        while True:
            now = self.clock.wall_ms()
            facts = facts_of(Identity(self.data).file)
            self.counters["days_left"] = (facts["to_ms"] - now) // DAY_MS
            rest = AGAIN_MS - ticks_diff(self.clock.ticks_ms(), self.tried) if self.tried is not None else 0
            if now < due_ms(facts):
                up()
                await self.clock.sleep_ms(min(LOOK_MS, due_ms(facts) - now))
            elif rest > 0:
                await self.clock.sleep_ms(rest)
            else:
                await self._renew(facts)
                up()

    async def _renew(self, facts):
        self.tried = self.clock.ticks_ms()
        try:
            await asyncio.to_thread(renew, self.data)
            self.counters["renewed"] += 1
        except HeedError as error:
            self.counters["failed_renewals"] += 1
            ends = tls.utc(facts["to_ms"] / 1000)
            raise NotConnected("the certificate ends on %s and is not renewed: %s" % (ends, error.message), error.hint)
