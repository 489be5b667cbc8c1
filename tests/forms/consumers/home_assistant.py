"""A whole Home Assistant core with its MQTT integration: run by an environment of its own (`make test-consumers`).

    python home_assistant.py FOLDER PORT

Prints "ready" once it listens at the broker; for each line on its standard input prints, as JSON, all entities with their device, state
and attributes, every state that was written, and what it logged as warnings and errors.
"""

import asyncio
import json
import logging
import sys

from homeassistant import bootstrap
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.helpers import device_registry, entity_registry
from homeassistant.runner import RuntimeConfig


class Complaints(logging.Handler):
    """Keeps warnings and errors."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append("%s: %s" % (record.name, record.getMessage()))


def snapshot(hass, written, complaints):
    """What a user of the web page could see."""
    entities, devices = entity_registry.async_get(hass), device_registry.async_get(hass)
    found = []
    for state in hass.states.async_all():
        entry = entities.async_get(state.entity_id)
        device = entry and devices.async_get(entry.device_id)
        via = device and device.via_device_id and devices.async_get(device.via_device_id)
        found.append({"entity_id": state.entity_id, "state": state.state, "attributes": dict(state.attributes),
                      "device": device and device.name, "via": via and via.name, "unique_id": entry and entry.unique_id})
    return {"entities": found, "written": written, "complaints": complaints.lines}


async def main(folder, port):
    """Start the core without a web page, then answer."""
    with open(folder + "/configuration.yaml", "w") as settings:
        settings.write("homeassistant:\n  name: Heed's test\nhttp:\n  server_host: 127.0.0.1\n  server_port: %d\n" % (int(port) + 1))
    complaints = Complaints()
    hass = await bootstrap.async_setup_hass(RuntimeConfig(config_dir=folder, skip_pip=True, log_no_color=True))
    logging.getLogger().addHandler(complaints)
    written = []

    def note(event):
        state = event.data["new_state"]
        if state:
            written.append([state.entity_id, state.state, {key: state.attributes.get(key) for key in ("seq", "t_ms", "reason")}])
    hass.bus.async_listen(EVENT_STATE_CHANGED, note)
    entry = ConfigEntry(version=1, minor_version=1, domain="mqtt", title="broker", source="user",
                        data={"broker": "127.0.0.1", "port": int(port), "discovery": True, "discovery_prefix": "homeassistant"})
    await hass.config_entries.async_add(entry)
    await hass.async_start()
    print("ready %s" % entry.state, flush=True)
    while await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        await hass.async_block_till_done()
        print(json.dumps(snapshot(hass, written, complaints), default=str), flush=True)
    await hass.async_stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
