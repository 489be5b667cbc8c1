"""What gateways ask a hub about rounds, by HTTP: small answers, polled."""

from aiohttp import web


def published(rounds):
    """The common state for all who ask; what was spent of the privacy, and what moved here alone, is the hub's own book."""
    return {name: value for name, value in (rounds.learnt or {"version": 0}).items() if name not in ("spent", "own")}


def routes(rounds):
    """Routes for gateway.hub.http.Site. rounds: gateway.hub.rounds.Rounds."""
    async def now(request):
        """GET /v1/rounds?gateway=NAME: the round that is open, with what this gateway needs of it."""
        seen = await rounds.ingest.ask(rounds.seen_by, request.query.get("gateway", ""))
        return web.json_response({"round": seen, "counters": rounds.counters})

    async def together(request):
        """GET /v1/attention?after=VERSION: the global state, where it is newer; its privacy in figures."""
        learnt = published(rounds)
        after = request.query.get("after", "-1")
        newer = learnt["version"] > (int(after) if after.lstrip("-").isdigit() else -1)
        return web.json_response({name: value for name, value in learnt.items() if newer or name != "vector"})

    return [web.get("/v1/rounds", now), web.get("/v1/attention", together)]
