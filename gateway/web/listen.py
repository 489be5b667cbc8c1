"""Listening for HTTP as a child of the supervisor."""

import asyncio

from aiohttp import web

from gateway.core.errors import NotConnected

IDLE_S = 30  # how long a line may wait for its next request


async def serve(application, address, up, hint, tls=None):
    """Serve until cancelled. address: (host, port); tls: an SSLContext or None. Raises NotConnected where the port is taken."""
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=IDLE_S, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, *address, ssl_context=tls).start()
        up()
        await asyncio.Event().wait()
    except OSError as error:
        raise NotConnected("%s port %d: %s" % (*address, error.strerror), hint)
    finally:
        await runner.cleanup()
