"""The root on a microcontroller: the gateway's own flow, with one sensor, in memory, over a wire."""

import json

from gateway.core.channel import Channel
from gateway.core.compat import Clock
from gateway.core.context import Context
from gateway.core.errors import ConfigError
from gateway.core.flow import Pipeline, Reader
from gateway.core.memory import MemoryStorage
from gateway.core.options import check_options
from gateway.core.outbox import Outbox
from gateway.core.sender import Sender
from gateway.core.supervisor import Supervisor

LIMITS = {"alarm": (4096, "drop_oldest"), "event": (8192, "drop_oldest"), "digest": (8192, "drop_oldest")}
BLOCKS = 8  # how much the pipeline may lag behind the sensor


class Node:
    """settings: JSON text {"name", "sensor": {options}, "plugin": {options}, "model": {options}};
    modules: {"sensor": module, "plugin": module, "model": module}, each with MANIFEST and PLUGIN;
    uplink: the Uplink to the gateway (gateway.core.link.LinkUplink on a serial line).

    Raises ConfigError for settings that are wrong: all faults in one message.
    """

    def __init__(self, settings, modules, uplink, clock=Clock):
        self.settings = read_settings(settings, modules)
        name = self.settings["name"]
        self.context = Context(name, clock)
        self.outbox = Outbox(MemoryStorage(), LIMITS, clock, name, ("gateway",), commit_records=8)
        self.supervisor = Supervisor(clock, self.context.log)
        made = {kind: modules[kind].PLUGIN(self.settings[kind], self.context) for kind in modules}
        made["model"].load()
        channel, rests = Channel(BLOCKS, lossless=not modules["sensor"].MANIFEST.get("live", True)), {}
        self.reader = Reader(made["sensor"], channel, clock, rests)
        self.pipeline = Pipeline(channel, made["plugin"], made["model"], self.outbox, clock, rests)
        self.sender = Sender("gateway", self.outbox, uplink, limit=8)
        self.channel = channel

    async def run(self):
        """Run until the sensor has ended and all is delivered; a live sensor does not end."""
        await self.outbox.open()
        supervisor = self.supervisor
        supervisor.add("outbox", self.outbox.run, essential=True)
        supervisor.add("uplink", self.sender.run)
        supervisor.add("pipeline", self.pipeline.run, essential=True)
        supervisor.add("sensor", self.reader.run)
        supervisor.start()
        try:
            await supervisor.until(lambda: supervisor.children[3].state == "done")
            self.channel.close()
            await supervisor.until(lambda: supervisor.children[2].state == "done")
            await self.outbox.delivered()
        finally:
            await supervisor.stop()


def read_settings(text, modules):
    """Settings with all options filled in, or ConfigError with every fault."""
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise ConfigError("the node's settings are no JSON: " + str(error), "write them anew with `heed node`")
    faults = [] if settings.get("name") else ["name is missing"]
    for kind in sorted(modules):
        values, wrong = check_options(modules[kind].MANIFEST, settings.get(kind, {}))
        settings[kind] = values
        faults += ["%s: option %s %s: %s" % ((kind,) + fault) for fault in wrong]
    if faults:
        raise ConfigError("; ".join(faults), "mend the settings file of the node")
    return settings
