"""When the data of a job came: its deadline counts from then, and while it waits nothing may start that would make it late."""

from collections import OrderedDict

BLOCKS = 4096  # blocks read and not yet taken whose time is known, of each plugin
STALLED = 10  # deadlines after which a plugin that takes nothing is not at work


class Arrivals:
    """now_us: function that gives monotonic time. A channel is first in, first out: what came before a block that is taken was dropped.

    A block that nobody could read because something held the loop came unseen: long_holds counts what worked in one go for more than
    half of the shortest critical deadline."""

    def __init__(self, now_us, classes):
        self.now_us, self.queues, self.last = now_us, {}, {}
        self.longest_us = min([c.deadline_us // 2 for c in classes if c.critical], default=None)
        self.counters = {"long_holds": 0}

    def held(self, us):
        """Something has worked for so long in one go."""
        self.counters["long_holds"] += self.longest_us is not None and us > self.longest_us

    def watch_sensor(self, sensor, plugin):
        """Note when each block of a sensor of a plugin was read."""
        read = sensor.read

        async def call():
            block = await read()
            self.came(plugin, block)
            return block
        sensor.read = call

    def watch_plugin(self, part, name):
        """Note which block a plugin works on."""
        push = part.push
        part.push = lambda block: self.taken(name, block) or push(block)

    def came(self, plugin, block):
        """A sensor of a plugin has read a block."""
        queue = self.queues.setdefault(plugin, OrderedDict())
        queue[block.stream, block.seq] = self.now_us()
        if len(queue) > BLOCKS:
            queue.popitem(last=False)

    def taken(self, plugin, block):
        """A plugin takes a block: the jobs that it completes came when it was read."""
        queue, key = self.queues.get(plugin, {}), (block.stream, block.seq)
        self.last[plugin] = queue.get(key) or self.now_us()
        while key in queue:
            queue.popitem(last=False)

    def at(self, plugin):
        """When what a plugin works on came."""
        return self.last.get(plugin) or self.now_us()

    def waiting(self, classes):
        """[(deadline_us, JobClass)] of critical blocks that wait; each may complete a job. Of those that are late already nothing can be
        saved, and a plugin that takes none, since it has failed and rests, is not waited for."""
        now, out = self.now_us(), []
        for c in classes:
            queue = self.queues.get(c.name) if c.critical else None
            if queue and now - next(iter(queue.values())) < STALLED * c.deadline_us:
                out += [(at + c.deadline_us, c) for at in queue.values() if at + c.deadline_us > now]
        return out
