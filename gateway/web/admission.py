"""Who may come in by the local door, and what becomes of an error on the way.

A browser is not the person who sits at it: pages of others may send from it. So a request must be addressed to a name of this
gateway (against DNS rebinding), must not come from another page (Origin, Fetch Metadata), and what changes something must be JSON,
which no form of another page can send unasked (https://fetch.spec.whatwg.org, CORS-safelisted content types).
"""

import hmac
import logging
import re

from aiohttp import web

from gateway.attention.desk import Unknown
from gateway.core.compat import ticks_diff, ticks_ms
from gateway.core.errors import ConfigError, HeedError

LOG = logging.getLogger("heed.web")
BURST_S = 3  # so many seconds' worth of requests may come at once
OPEN = ("/", "/favicon.ico")  # the page holds nothing of this gateway
JSON = "application/json"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
           "Cross-Origin-Resource-Policy": "same-origin", "Content-Security-Policy": "default-src 'none'"}
COUNTED = ("requests", "refused_rate", "refused_host", "refused_origin", "refused_token", "refused_type", "bad_requests", "failures")


class Refused(HeedError):
    """A request that goes no further. status: of HTTP; counter: what counts it."""

    def __init__(self, status, counter, message, hint):
        super().__init__(message, hint)
        self.status, self.counter = status, counter


class Admission:
    """config: gateway.web.settings.WebConfig; now(): ms of a clock that does not jump."""

    def __init__(self, config, now=ticks_ms):
        self.config, self.now = config, now
        self.counters = dict.fromkeys(COUNTED, 0)
        self.most = 1000 * BURST_S * config.rate  # in thousandths of a request
        self.left, self.since = self.most, now()

    @web.middleware
    async def answer(self, request, handler):
        """Let a request in or refuse it; an error becomes JSON with what to do next."""
        self.counters["requests"] += 1
        try:
            self._admit(request)
            response = await handler(request)
        except Refused as error:
            self.counters[error.counter] += 1
            response = told(error.status, error.message, error.hint)
        except ConfigError as error:
            self.counters["bad_requests"] += 1
            response = told(404 if isinstance(error, Unknown) else 400, error.message, error.hint)
        except web.HTTPException as error:
            self.counters["bad_requests"] += 1
            response = told(error.status, "%s: %s" % (error.reason, request.path), "docs/api.md lists what there is")
        except HeedError as error:
            self.counters["failures"] += 1
            response = told(503, error.message, error.hint)
        except Exception:  # a fault of ours, at the outermost door
            self.counters["failures"] += 1
            LOG.exception("%s %s", request.method, request.path)
            response = told(500, "the gateway made a mistake", "see its log")
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _admit(self, request):
        """Raise Refused for a request that may not come in."""
        self._pace()
        if host_of(request.headers.get("Host", "")) not in self.config.names:
            raise Refused(421, "refused_host", "this gateway is not called %s" % request.headers.get("Host"), "add that name to names in [web]")
        self._origin(request)
        given = request.headers.get("Authorization", "").encode()
        if self.config.token and request.path not in OPEN and not hmac.compare_digest(given, b"Bearer " + self.config.token):
            raise Refused(401, "refused_token", "wrong or missing token", "send Authorization: Bearer and what token_file in [web] holds")
        if request.method == "POST" and request.content_type != JSON:
            raise Refused(415, "refused_type", "what is sent must be " + JSON, "set the header Content-Type")

    def _pace(self):
        """A bucket that fills at the rate of the settings, whoever asks: a small machine has one processor for all."""
        now = self.now()
        self.left, self.since = min(self.most, self.left + ticks_diff(now, self.since) * self.config.rate), now
        if self.left < 1000:
            raise Refused(429, "refused_rate", "more than %d requests a second" % self.config.rate, "ask again in a second")
        self.left -= 1000

    def _origin(self, request):
        """A page of somebody else's may not speak for the person."""
        origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site", "none")
        same = origin is None or origin.partition("://")[2] == request.headers["Host"]
        if not same or site not in ("none", "same-origin") and request.path not in OPEN:
            raise Refused(403, "refused_origin", "asked by another page: %s" % (origin or site), "open the gateway's own page")


def host_of(address):
    """The host of "host:port", in small letters; None where it is none."""
    found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(:\d+)?", address.lower())
    return found and found[1].strip("[]")


def told(status, error, hint):
    """An error as JSON."""
    return web.json_response({"error": error, "hint": hint}, status=status)
