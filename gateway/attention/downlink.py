"""What comes down from a hub: small answers, asked for when the line is up. Updates go up in the outbox."""

import os

import aiohttp

from gateway import tls
from gateway.core.errors import NotConnected

TIMEOUT_S = 20
MAX_ANSWER = 8 << 20


class Downlink:
    """url: of the hub, https://host:port; files: ca_file, cert_file, key_file, as those of gateway.uplinks.http. news: never, since
    nothing comes by itself."""

    news, counters = False, {}

    def __init__(self, url, files, token_env="HEED_TOKEN"):
        self.options = dict(files, url=url.rstrip("/"))
        self.token_env = token_env
        self.session = None

    async def get(self, path, **query):
        """The JSON answer to GET path?query. Raises NotConnected."""
        token = os.environ.get(self.token_env)
        if self.session is None:
            self.session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), connector=aiohttp.TCPConnector(
                ssl=tls.context(self.options)), headers={"Authorization": "Bearer " + token} if token else {})
        try:
            async with self.session.get(self.options["url"] + path, params=query) as answer:
                if answer.status != 200 or (answer.content_length or 0) > MAX_ANSWER:
                    raise NotConnected("the hub answers %s with status %d" % (path, answer.status),
                                       "does it run rounds? `heed hub run --rounds`")
                return await answer.json()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            message, hint = tls.explain(error, self.options, hint="is the hub up?")
            raise NotConnected("%s: %s" % (self.options["url"], message), hint)

    async def round(self, gateway):
        """What a gateway needs of the round that is open, or None. Raises NotConnected."""
        return (await self.get("/v1/rounds", gateway=gateway))["round"]

    async def learnt(self, after):
        """What gateways learnt together, with its numbers where it is newer than a version. Raises NotConnected."""
        return await self.get("/v1/attention", after=after)

    async def close(self):
        """Close the session."""
        if self.session:
            await self.session.close()
