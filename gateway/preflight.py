"""What `heed check` tries beside reading the settings: does every sensor and uplink open, does every model load?"""

import asyncio

from gateway import app
from gateway.config import Fault
from gateway.core.errors import HeedError

OPEN_S = 10


async def tried(place, part):
    """Faults of opening one part and closing it again."""
    try:
        await asyncio.wait_for(part.open(), OPEN_S)
    except HeedError as error:
        return [Fault(place, error.message, error.hint or "see docs/operations.md")]
    except TimeoutError:
        return [Fault(place, "did not open in %d s" % OPEN_S, "is the device there?")]
    except Exception as error:  # whatever a stranger's part raises
        return [Fault(place, "%s: %s" % (type(error).__name__, error), "this part breaks its contract; see docs/plugins.md")]
    finally:
        await part.close()
    return []


async def preflight(config, source):
    """Faults of all parts of a sound Config, each opened once."""
    try:
        gateway = app.Gateway(config)
    except HeedError as error:
        return [Fault(source, error.message, error.hint)]
    faults = []
    for runner in gateway.runners:
        part = getattr(runner, "sensor", None) or getattr(runner, "uplink", None)
        if part:
            faults += await tried("%s: %s" % (source, gateway.runners[runner]), part)
    return faults
