"""Batches by HTTP POST, compressed, acknowledged by the answer's body: an answer alone is no promise."""

import json
import os

import aiohttp

from gateway import tls
from gateway.core.errors import NotConnected, Rejected
from gateway.core.plugin import Uplink
from gateway.forms import compress, envelope

MANIFEST = {
    "kind": "uplink", "name": "http", "version": "0.1.0", "api": 1,
    "summary": "posts batches of summaries to a hub and waits for its acknowledgement",
    "runs_on": ("cpython",), "needs": ("aiohttp",), "permissions": ("network",), "budget": {"ms": 1000, "mb": 16},
    "options": {
        "url": {"required": True, "type": "str", "help": "address of the hub, for example https://hub.example/v1/batches"},
        "token_env": {"default": "HEED_TOKEN", "type": "str", "help": "environment variable that holds the bearer token"},
        "timeout_s": {"default": 10, "type": "float", "min": 0.1, "max": 600, "help": "how long an answer may take"},
        "ca_file": {"default": "", "type": "path", "help": "certificate authority to trust instead of the system's"},
        "cert_file": {"default": "", "type": "path", "help": "certificate of this gateway (`heed enroll` gets one)"},
        "key_file": {"default": "", "type": "path", "help": "private key of this gateway"},
    },
}
REFUSALS = (400, 413, 415, 422)  # what a far end says of the batch itself; anything else may pass with time


class HttpUplink(Uplink):
    """One batch in flight; gzip until the hub says that it reads zstd."""

    session = None
    express = True

    async def open(self):
        """Make the session; the first connection comes with the first batch."""
        token = os.environ.get(self.options["token_env"])
        headers = {"Content-Type": "application/json"}
        self.compression, self.sent = "gzip", 0
        if token:
            headers["Authorization"] = "Bearer " + token
        timeout = aiohttp.ClientTimeout(total=self.options["timeout_s"])
        connector = aiohttp.TCPConnector(ssl=tls.context(self.options))
        self.session = aiohttp.ClientSession(headers=headers, timeout=timeout, connector=connector)

    async def send(self, batch):
        """POST a batch; gives what the answer acknowledges."""
        body = compress.pack(self.compression, envelope.dumps(batch))
        self.sent = max(self.sent, batch.base, 0 if batch.express else batch.last_seq)
        try:
            async with self.session.post(self.options["url"], data=body, headers={"Content-Encoding": self.compression}) as answer:
                self.sent_bytes += len(body)
                if "zstd" in answer.headers.get("Accept-Encoding", ""):
                    self.compression = compress.NAMES[-1]
                return self._acknowledged(batch, answer.status, await answer.content.read(65536))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            message, hint = tls.explain(error, self.options, hint="is the hub up?")
            raise NotConnected("%s: %s" % (self.options["url"], message), hint)

    def _acknowledged(self, batch, status, text):
        """The number acknowledged, if the answer makes sense; of what an earlier session sent, only what was sent again."""
        if status in REFUSALS:
            raise Rejected("the hub refuses the batch with status %d" % status, text[:200].decode(errors="replace"))
        if status != 200:
            raise NotConnected("the hub answers with status %d: %s" % (status, said(text)),
                               "see docs/security.md" if status == 403 else "see the hub's log")
        try:
            answer = json.loads(text)
            epoch, seq = answer["epoch"], answer["acknowledged"]
        except (ValueError, TypeError, KeyError):
            epoch, seq = None, None
        if epoch != batch.epoch or type(seq) is not int or not 0 <= seq <= batch.newest:
            self.context.count("nonsense_answers")
            raise NotConnected("the hub's answer acknowledges nothing that was sent", "is the url that of a Heed hub?")
        return min(seq, self.sent)

    async def close(self):
        """Close the session."""
        if self.session:
            await self.session.close()


def said(text):
    """What a far end gives as its reason, as far as it can be read."""
    try:
        return str(json.loads(text)["error"])[:200]
    except (ValueError, TypeError, KeyError):
        return text[:200].decode(errors="replace") or "without a word"


PLUGIN = HttpUplink
