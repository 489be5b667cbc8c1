"""The HTTP API of a gateway, version 1; docs/api.md says what it gives. What it does is done by gateway.attention.desk."""

import asyncio

from aiohttp import web

from gateway import tls
from gateway.attention.feedback import Feedback
from gateway.core.errors import ConfigError
from gateway.web.drawing import drawn

BODY_S = 5  # how long a body may take to arrive
LONGEST = 200  # characters of a field
LARGEST = 1 << 53  # number that every JSON reader can hold
ACTS = {"freeze": lambda desk, stream, version: desk.freeze(stream), "thaw": lambda desk, stream, version: desk.freeze(stream, False),
        "reset": lambda desk, stream, version: desk.reset(stream), "rollback": lambda desk, stream, version: desk.rollback(stream, version)}


async def body(request, required, optional=None):
    """The fields of a JSON body; required, optional: {name: type}. Raises ConfigError for any other."""
    try:
        given = await asyncio.wait_for(request.json(), BODY_S)
    except (ValueError, LookupError, RecursionError, TimeoutError) as error:  # LookupError: a charset that is none
        raise ConfigError("the body is no JSON: %s" % (str(error) or "it did not arrive in %d s" % BODY_S), "send one JSON object")
    known = {**required, **(optional or {})}
    if not isinstance(given, dict) or set(given) - set(known) or set(required) - set(given):
        raise ConfigError("the body is not an object of these fields", "required: %s; allowed: %s" % (
            ", ".join(required) or "none", ", ".join(known) or "none"))
    for name, value in given.items():
        if type(value) is not known[name] or not (value.isprintable() and len(value) <= LONGEST if known[name] is str else abs(value) <= LARGEST):
            raise ConfigError("%s is %.50r" % (name, value), "give a value of type %s" % known[name].__name__)
    return given


def giver(request, source):
    """Who says it: the kind is the sender's to say, the name that of the certificate, where there is one. Raises ConfigError."""
    name = tls.common_name(request.transport)
    kind, _, who = source.partition(":")
    if name and who not in ("", name):
        raise ConfigError("the certificate is that of %s, the source %s" % (name, source), "send source without a name")
    return "%s:%s" % (kind, name) if name else source


class Api:
    """desk: Desk; status: gateway.status.Status; worker: executor of one thread, since each write waits for the disk."""

    def __init__(self, desk, status, worker):
        self.desk, self.status, self.worker = desk, status, worker

    def routes(self):
        """Routes of aiohttp."""
        return [web.get("/v1/status", self.state), web.get("/v1/attention", self.attention), web.get("/v1/attention/{stream}", self.history),
                web.post("/v1/attention/{stream}/{act:%s}" % "|".join(ACTS), self.act),
                web.get("/v1/feedback", self.feedback), web.post("/v1/feedback", self.give),
                web.get(r"/v1/feedback/{stream}/{seq:\d{1,15}}.{form:json|svg}", self.moment),
                web.post(r"/v1/feedback/{stream}/{seq:\d{1,15}}/skip", self.skip),
                web.post("/v1/feedback/{stream}/{answer:confirm|deny}", self.answer)]

    async def _ask(self, work, *values):
        return await asyncio.get_running_loop().run_in_executor(self.worker, work, *values)

    async def state(self, request):
        """GET /v1/status."""
        return web.json_response(dict(self.status.snapshot(), state="running", age_ms=0))

    async def attention(self, request):
        """GET /v1/attention."""
        return web.json_response({"streams": await self._ask(self.desk.streams)})

    async def history(self, request):
        """GET /v1/attention/STREAM."""
        return web.json_response(await self._ask(self.desk.history, request.match_info["stream"]))

    async def act(self, request):
        """POST /v1/attention/STREAM/freeze, thaw, reset or rollback."""
        stream, act = request.match_info["stream"], request.match_info["act"]
        given = await body(request, {}, {"version": int} if act == "rollback" else {})
        await self._ask(ACTS[act], self.desk, stream, given.get("version"))
        return web.json_response(next(row for row in await self._ask(self.desk.streams) if row["stream"] == stream))

    async def feedback(self, request):
        """GET /v1/feedback."""
        return web.json_response(await self._ask(
            lambda: {"asked": self.desk.asked(), "words": self.desk.latest(), "alarms": self.desk.raised()}))

    async def give(self, request):
        """POST /v1/feedback."""
        given = await body(request, {"stream": str, "seq": int, "label": str}, {"source": str, "given_ms": int})
        source = giver(request, given.get("source") or await self._ask(self.desk.giver, given["stream"]))
        word = Feedback(given["stream"], given["seq"], given["label"], source, given.get("given_ms"))
        verdict = await self._ask(self.desk.give, word)
        return web.json_response({"stream": word.stream, "seq": word.seq, "label": word.label, "source": word.source, "verdict": verdict})

    async def moment(self, request):
        """GET /v1/feedback/STREAM/SEQ.json or .svg."""
        facts = await self._ask(self.desk.moment, request.match_info["stream"], int(request.match_info["seq"]))
        if request.match_info["form"] == "svg":
            return web.Response(text=await self._ask(drawn, facts), content_type="image/svg+xml", headers={
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})
        return web.json_response(facts)

    async def skip(self, request):
        """POST /v1/feedback/STREAM/SEQ/skip."""
        await body(request, {})
        stream, seq = request.match_info["stream"], int(request.match_info["seq"])
        await self._ask(self.desk.skip, stream, seq)
        return web.json_response({"stream": stream, "seq": seq, "verdict": "skipped"})

    async def answer(self, request):
        """POST /v1/feedback/STREAM/confirm or deny."""
        stream, answer = request.match_info["stream"], request.match_info["answer"]
        source = giver(request, (await body(request, {}, {"source": str})).get("source", "clinician"))
        act, answered = (self.desk.confirm, "confirmed") if answer == "confirm" else (self.desk.deny, "denied")
        return web.json_response({"stream": stream, "answer": answered, "labels": await self._ask(act, stream, source), "source": source})
