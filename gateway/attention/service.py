"""Learning beside the flow: hands inferences to the learners, and gives those a thread of their own."""

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from gateway.attention.learner import Learner
from gateway.attention.moments import Moment
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
    """folder: data folder; options: [attention]; outbox: takes what a person upstream must hear."""

    def __init__(self, folder, options, outbox, clock):
        self.path = folder / FILE
        self.options, self.outbox, self.clock = options, outbox, clock
        self.learners = []
        self.worker = ThreadPoolExecutor(1, "attention", nice)
        self.counters = {"learning_failures": 0}

    def add(self, model, twin, anchors):
        """Let the streams of a loaded PackageModel learn. Gives watch(features, inference): call it after each inference."""
        learner = Learner(AttentionStore(self.path), twin, anchors, model.use, self.options, tell=self._tell)
        self.learners.append(learner)

        def watch(features, inference):
            if model.last is None or model.last[1] is None:
                return learner.counters.update(unadapted=1)
            state, hidden = model.last
            return learner.observe(Moment(features.stream, features.seq, features.t_ms, inference.label, max(inference.scores), hidden[0],
                                          features.values, state))
        return watch

    def _tell(self, stream, event, why):
        """From the learning thread to the outbox, which belongs to the loop."""
        summary = Summary(stream, "event", "event", wall_ms(), why, {"event": event})
        self.loop.call_soon_threadsafe(self.outbox.offer, [summary])

    def counts(self):
        """Counters of all learners."""
        total = dict(self.counters)
        for learner in self.learners:
            for name, n in list(learner.counters.items()):
                total[name] = total.get(name, 0) + n
        return total

    async def run(self, up):
        """Let the learners work, one turn a second, for ever. A turn that fails is counted, and the next one tried."""
        up()
        self.loop = asyncio.get_running_loop()
        while True:
            for learner in self.learners:
                try:
                    await self.loop.run_in_executor(self.worker, learner.work)
                    up()
                except HeedError:
                    self.counters["learning_failures"] += 1
            await self.clock.sleep_ms(EVERY_MS)

    def close(self):
        """Stop the thread and close the files."""
        self.worker.shutdown()
        for learner in self.learners:
            learner.store.close()
