"""Learning beside the flow: hands inferences to the learners, and gives those a thread of their own."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from gateway.attention.learner import Learner
from gateway.attention.moments import Moment
from gateway.attention.reports import Reports
from gateway.attention.store import FILE, AttentionStore
from gateway.core.compat import wall_ms
from gateway.core.errors import HeedError
from gateway.core.records import Summary

EVERY_MS = 1000
NICE = 10  # the learning thread comes after all others


def nice():
    """Lower the priority of the calling thread, where the system lets one."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    except (OSError, AttributeError):
        pass


class Attention:
    """folder: data folder; options: [attention]; name: of this gateway; outbox: takes its part in rounds."""

    def __init__(self, folder, options, clock, name, outbox):
        self.path = folder / FILE
        self.options, self.clock, self.name, self.outbox = options, clock, name, outbox
        self.rounds = self._membership(folder) if options["hub"] else None
        self.learners, self.keepers, self.reports = [], [], []
        self.worker = ThreadPoolExecutor(1, "attention", nice)
        self.counters = {"learning_failures": 0}

    def _membership(self, folder):
        from gateway.attention.membership import Membership  # cryptography takes its time, and only who learns with others needs it
        return Membership(folder, self.options, self.name)

    def beside(self, model, make_twin, door, watch):
        """What is to see each result of a loaded model: its learner, where it can learn, then `watch`, where there is one.

        make_twin(package): see models.twin; door: takes what a person upstream must hear, as the plugin's own words."""
        package = getattr(model, "package", None)
        if self.options["learn"] == "off" or not package or not package.adaptable():
            return watch
        learner = Learner(AttentionStore(self.path), make_twin(package), package.anchors(), model.use, self.options,
                          tell=lambda *words: self._tell(door, *words))
        self.learners.append(learner)
        model.learns = True
        if self.rounds:
            self.rounds.join(learner)

        def both(features, inference, decision, summaries):
            if features:
                self._observe(learner, model, features, inference)
            if watch:
                watch(features, inference, decision, summaries)
        return both

    def hear(self, found):
        """The Reports of a plugin that remembers what is said of them; None of one that does not, or where nothing is to be learnt."""
        if self.options["learn"] == "off" or "remembers" not in found.manifest:
            return None
        self.reports.append(Reports(AttentionStore(self.path), found))
        return self.reports[-1]

    def around(self, name, model):
        """What answers for the loaded model of plugin `name`: the model, or where it forecasts, what learns online around it."""
        if self.options["learn"] == "off" or not getattr(model, "forecasts", None):
            return model
        from gateway.attention.keeper import Keeper
        from gateway.attention.online import OnlineForecasts  # gateways without series need none of this
        online = OnlineForecasts(model)
        self.keepers.append(Keeper(AttentionStore(self.path), name, "%s %s" % (model.package.name, model.package.manifest["version"]), online))
        return online

    def _tell(self, door, stream, event, why):
        """From the learning thread to the outbox, which belongs to the loop."""
        self.loop.call_soon_threadsafe(door.offer, [Summary(stream, "event", "event", wall_ms(), why, {"event": event})])

    @staticmethod
    def _observe(learner, model, features, inference):
        if model.last is None:  # a variant that does not show what its head judges
            learner.counters["unadapted"] += 1
            return
        seen = {"shares": np.array(inference.scores, np.float32)}
        if inference.maps is not None:
            seen["attended"] = inference.maps.reshape(-1, inference.maps.shape[-1]).mean(0)
        learner.observe(Moment(features.stream, features.seq, features.t_ms, inference.label, max(inference.scores), model.last[1],
                               features.values, model.last[0], seen))

    def counts(self):
        """Counters of all that learn."""
        total = dict(self.counters)
        for learner in (*self.learners, *self.reports):
            for name, n in list(learner.counters.items()):
                total[name] = total.get(name, 0) + n
        return dict(total, **self.rounds.counts()) if self.rounds else total

    def doors(self):
        """{stream: Door} of all streams that are judged here."""
        return {stream: learner.door for learner in (*self.learners, *self.reports)
                for stream in list(learner.moments.recent)}

    async def run(self, up):
        """Let all work, one turn a second, for ever. A turn that fails is counted, and the next one tried."""
        up()
        self.loop = asyncio.get_running_loop()
        while True:
            for part in (*self.learners, *self.keepers, *self.reports):
                try:
                    await self.loop.run_in_executor(self.worker, part.work)
                    up()
                except HeedError:
                    self.counters["learning_failures"] += 1
            if self.rounds:
                await self.rounds.turn(self.outbox, lambda *work: self.loop.run_in_executor(self.worker, *work))
            await self.clock.sleep_ms(EVERY_MS)

    async def close(self):
        """Stop the thread and close the files."""
        if self.rounds:
            await self.rounds.close()
        for learner in self.learners:
            learner.slack.stopping.set()
        self.worker.shutdown()
        for reports in self.reports:
            reports.keep()
        for learner in (*self.learners, *self.reports):
            learner.store.close()
        for keeper in self.keepers:
            keeper.close()
