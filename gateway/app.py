"""The gateway: builds every part from the settings and runs them. The one place of wiring."""

import asyncio
import signal
from pathlib import Path

from gateway import beside, discover, privacy_settings, status
from gateway.attention.service import Attention
from gateway.context import GatewayContext
from gateway.core.channel import Channel
from gateway.core.compat import Clock
from gateway.core.errors import ConfigError
from gateway.core.flow import Pipeline, Reader
from gateway.core.outbox import Outbox
from gateway.core.pace import Pace
from gateway.core.sender import Sender
from gateway.core.supervisor import Supervisor
from gateway.isolation import VERBS, isolate
from gateway.privacy import Door
from gateway.store import SqliteStorage
from models.attention import PackageModel
from models.twin import Twin

BLOCKS = 64  # how far a pipeline may lag behind its sensors, in blocks; less where a manifest says so (`ahead`)
DELIVERY_S = 30  # how long the end of a finite input waits for the uplinks


class Gateway:
    """config: gateway.config.Config; watch: see Pipeline. Raises HeedError when a part cannot be made."""

    def __init__(self, config, watch=None):
        self.config = config
        self.watch = watch
        self.folder = Path(config.gateway["data"])
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError("[gateway] data: %s cannot be made: %s" % (self.folder, error.strerror), "name a folder that can be written")
        self.context = GatewayContext("gateway", self.folder)
        self.supervisor = Supervisor(Clock, self.context.log)
        self.outbox = Outbox(SqliteStorage(str(self.folder / "outbox.db")), config.limits, Clock, config.gateway["name"],
                             [uplink.name for uplink in config.uplinks], **config.outbox)
        self.attention = Attention(self.folder, config.attention, Clock, config.gateway["name"], self.outbox)
        self.sources, self.notes, self.feeds, self.pipelines, self.runners = {}, {}, {}, [], {}
        self.stopping = asyncio.Event()
        self.energy = beside.governor(config, self.folder, self.outbox)
        self._add_all()

    def _add_all(self):
        """Children in the order of the data's way back: who takes is there before who gives."""
        self.supervisor.add("outbox", self.outbox.run, essential=True)
        for uplink in self.config.uplinks:
            self._add(uplink, lambda part, context: Sender(uplink.name, self.outbox, part, pace=self._pace(uplink)))
        rests, channels = {}, {}
        key = privacy_settings.key_of(self.folder) if self.config.privacy["pseudonyms"] else None
        for plugin in self.config.plugins:
            sensors = [sensor for sensor in self.config.sensors if sensor.feeds == plugin.name]
            lossless = not any(sensor.found.manifest.get("live", True) for sensor in sensors)
            ahead = min([sensor.found.manifest.get("ahead", BLOCKS) for sensor in sensors], default=BLOCKS)
            channels[plugin.name] = channel = Channel(ahead, lossless)
            self.feeds[plugin.name] = channel, [sensor.name for sensor in sensors]
            model = self._model(plugin)
            rules = privacy_settings.rules_of(self.config, plugin, key)
            reports = self.attention.hear(plugin.found)
            watch = reports.beside(self.watch) if reports else self.attention.beside(
                model, Twin, Door(self.outbox, rules, self.context), self.watch)
            model = self.attention.around(plugin.name, model)
            if self.energy:
                model = self.energy.govern(plugin.name, model)
            self.pipelines.append(self._add(plugin, lambda part, context: Pipeline(
                channel, reports.teach(part) if reports else part, model, Door(self.outbox, rules, context), Clock, rests, watch)))
            self._count(plugin.name, lambda channel=channel: {"dropped": channel.dropped, "peak": channel.peak})
            self._count(plugin.name, lambda model=model: dict(model.context.counters))
        for sensor in self.config.sensors:
            self._add(sensor, lambda part, context: Reader(part, channels[sensor.feeds], Clock, rests))
        self.status = status.Status(self.folder, self.supervisor, self.outbox, self.sources, self.notes)
        self.supervisor.add("status", self.status.run)
        for name, run, counts in beside.services(self):
            self.supervisor.add(name, run)
            self._count(name, counts)

    def _add(self, part, build, essential=False):
        """Make one part and the piece of flow around it, a child of the supervisor."""
        context = GatewayContext(part.name, self.folder, self.config.gateway["name"])
        made = isolate(part.isolation, part.found, part.options, context,
                       lambda: discover.load(part.found)(part.options, context))
        if self.energy:
            self.energy.metered(made, part, VERBS[part.table])
        runner = build(made, context)
        self.runners[runner] = "[[%s]] %r" % (part.table, part.name)
        self.notes[part.name] = lambda: getattr(runner, "note", "") or (self.energy.rests.note(part.name) if self.energy else "")
        self.supervisor.add(part.name, runner.run, essential)
        self._count(part.name, lambda: runner.counters)
        self._count(part.name, lambda: context.counters)
        return runner

    def _pace(self, uplink):
        """How fast an uplink may talk, and whether its radio is on."""
        pace = Pace(Clock.wall_ms, *uplink.pace)
        if self.energy and self.energy.devices.duty and uplink.far:
            pace.hold = self.energy.devices.duty.closed
        return pace

    def _count(self, name, source):
        """Let the status show what `source` counts, beside what is there."""
        others = self.sources.get(name, dict)
        self.sources[name] = lambda: dict(others(), **source())

    def _model(self, plugin):
        """The model of a plugin, loaded; the plugin's own rules are its last rung."""
        context = GatewayContext(plugin.name, self.folder)
        rules = getattr(discover.load(plugin.found), "baseline", None)
        baseline = rules(plugin.options, context) if rules else None
        if plugin.model == "baseline":
            if not baseline:
                raise ConfigError('[[plugin]] "%s" has no baseline' % plugin.name, "name a model package: `heed model list`")
            model = baseline
        else:
            model = PackageModel({"package": plugin.model}, context, baseline)
        model.load()
        return model

    async def run(self, until_end=False):
        """Run until stop(); with until_end also until all sensors have ended and all is delivered."""
        self.context.log("info", "gateway %s starts, data in %s" % (self.config.gateway["name"], self.folder))
        state = await self.outbox.open()
        if state["fault"]:
            self.context.log("error", state["fault"])
            self.status.fault = state["fault"]
        self.supervisor.start()
        closers = [asyncio.ensure_future(self._close_at_end(*feed)) for feed in self.feeds.values()]
        try:
            await self._wait(closers if until_end else [])
        finally:
            for closer in closers:
                closer.cancel()
            await self._shut()

    async def _wait(self, closers):
        stop = asyncio.ensure_future(self.stopping.wait())
        fatal = asyncio.ensure_future(self.supervisor.until(lambda: False))
        end = asyncio.ensure_future(self._all_ended(closers)) if closers else stop
        done, rest = await asyncio.wait({stop, fatal, end}, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        for task in done:
            task.result()

    async def _close_at_end(self, channel, sensors):
        """A channel whose sensors have all ended gets no more."""
        await self.supervisor.until(lambda: all(child.state == "done" for child in self.supervisor.children
                                                if child.name in sensors))
        channel.close()

    async def _all_ended(self, closers):
        await asyncio.gather(*closers)
        await self.supervisor.until(lambda: all(child.state == "done" for child in self.supervisor.children
                                                if child.name in self.feeds))
        if self.config.uplinks:
            try:
                await asyncio.wait_for(self.outbox.delivered(), DELIVERY_S)
            except TimeoutError:
                self.context.log("warning", "not all is delivered yet; it stays in the outbox")

    async def _shut(self):
        """Stop the parts, keep what the plugins still owe, close the outbox, leave a last status."""
        await self.supervisor.stop()
        for pipeline in self.pipelines:
            await self._finish(pipeline)
        await self.attention.close()
        try:
            await self.outbox.close()
        finally:
            self.status.write()
        self.context.log("info", "gateway stopped; %d records wait for an uplink" % sum(self.outbox.quota.records.values()))

    async def _finish(self, pipeline):
        """What a plugin still owes; one that cannot say it does not hold the others up."""
        if not pipeline.channel.closed:
            try:
                await pipeline.finish()
            except Exception as error:  # a part's own fault, at the door to the outbox
                self.context.count("unfinished")
                self.context.log("warning", "a plugin could not finish: %s" % error)

    def stop(self):
        """Stop soon, in order."""
        self.stopping.set()


def serve(config, until_end=False, watch=None):
    """Run a gateway in this process until it ends, or SIGINT or SIGTERM comes. Gives the Gateway."""
    async def main():
        gateway = Gateway(config, watch)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, gateway.stop)
        await gateway.run(until_end)
        return gateway
    return asyncio.run(main())
