"""The energy policy at work on a gateway: asks meter, gauge and thermometer, plans, keeps the ledger, the ladder and the certificate."""

import os
from collections import OrderedDict
from pathlib import Path

from gateway.core.compat import ticks_diff
from gateway.energy import accounts, descent, meters
from gateway.energy.governed import GovernedModel
from gateway.energy.harvest import SLOT_MS
from gateway.energy.journal import Journal
from gateway.energy.ladder import Ladder
from gateway.energy.ledger import Ledger
from gateway.energy.policy import EnergyPolicy
from gateway.energy.price import Plan
from gateway.energy.report import shown, summary
from gateway.energy.sources import Charge, Sources
from gateway.energy.start import chosen, gauge_of, keep, read, tables_of

EVERY_MS, SAVE_MS, MINUTE_MS, DAY_MS = 1000, 60000, 60000, 86400000
FILE = "energy.json"
STAMPS = 4096  # blocks read and not yet taken whose time is known


class Governor:
    """config: EnergyConfig; offer(summaries): to the outbox. HEED_SYSFS names a tree of fakes in place of "/". A child of the
    supervisor."""

    def __init__(self, config, folder, context, name, offer):
        root = os.environ.get("HEED_SYSFS", "/")
        self.values, self.board = config.values, config.board
        self.path, self.clock, self.root, self.name, self.offer = Path(folder) / FILE, context.clock, root, name, offer
        capacity = int(self.values["battery_wh"] * 3600000)
        self.ladder, self.kept = Ladder(context.log), read(self.path)
        self.ledger = Ledger(self.kept["days"])
        self.policy = EnergyPolicy(config.classes, capacity or 1, int(self.board["idle_mw"]), int(1000 * self.values["worst"]))
        self.mains = not capacity
        self.policy.harvest.slots, self.policy.harvest.next = self.kept["harvest"], self.kept["next"]
        self.sources = Sources(chosen(self.values["meter"], root), (self.board["idle_mw"] + self.board["busy_mw"]) / 1000, self.ladder)
        self.model = self.sources.meters[-1]
        self.charge = Charge(gauge_of(self.values["gauge"], root), capacity or 1, self.kept.get("share", self.values["start"]), self.ladder)
        self.account = accounts.Account(*tables_of(config.classes), self.board["idle_mw"] / 1000)
        self.journal = Journal(self, self.kept["certificates"])
        self.counters = {"jobs": 0, "refused": 0, "critical_missed": 0, "clock_jumps": 0, "residual_alarms": 0}
        self.came, self.streams, self.lost_at, self.watts = OrderedDict(), {}, {}, 0.0
        self.counts, self.metered_j, self.spent_uj, self.harvested = {}, 0.0, 0, 0
        self.ticks = self.clock.ticks_ms()
        self.wall = self.saved = self.minute = self.told = self.clock.wall_ms()
        self._begin()

    def _begin(self):
        if self.mains:
            self.policy.plan = Plan(0)
        else:
            self.policy.begin(self.clock.wall_ms(), self.charge.update(0, 0))

    def govern(self, name, model, rests):
        """The model of a plugin under the policy; the model itself where no class has the plugin's name."""
        found = [c for c in self.policy.classes if c.name == name]
        return GovernedModel(model, found[0], self, rests) if found else model

    def metered(self, part, kind, name, verbs):
        """Keep account of the processor time of a part, at the board's busy draw of one core."""
        mw = self.board["busy_mw"] / self.board["cores"]
        if kind == "sensor":
            part.read = self._stamped(part.read)
        if kind == "plugin":
            push = part.push
            part.push = lambda block: self.taken(block) or push(block)
        accounts.metered(part, verbs, lambda ns: self._spend(kind, name, int(ns * mw / 1000000)))

    def _stamped(self, read):
        async def call():
            block = await read()
            self.came[block.stream, block.seq] = self.now_us()
            if len(self.came) > STAMPS:
                self.came.popitem(last=False)
            return block
        return call

    def now_us(self):
        """Monotonic time of the policy's."""
        return self.clock.ticks_ms() * 1000

    def taken(self, block):
        """A plugin takes a block: the deadlines of the jobs that it completes count from when it was read."""
        self.streams[block.stream] = self.came.pop((block.stream, block.seq), None) or self.now_us()

    def arrived(self, c, stream):
        """When the data of a job came; tells the policy of the job."""
        at = self.streams.get(stream, self.now_us())
        self.policy.arrived(c, at)
        self.journal.came(c)
        return at

    def done(self, c, index, took_us, arrived):
        """A job has ended."""
        variant = c.variants[index]
        self.policy.done(c, index, max(1, took_us))
        self.counters["jobs"] += 1
        self.counters["critical_missed"] += c.critical and self.now_us() > arrived + c.deadline_us
        name = c.name + "/" + variant.name
        self.counts[name] = self.counts.get(name, 0) + 1
        self._spend("model", name, variant.energy_uj, 1)
        self.journal.done(variant.points)

    def _spend(self, kind, name, uj, jobs=0):
        self.spent_uj += uj
        self.ledger.spend(self.clock.wall_ms() // DAY_MS, kind, name, uj, jobs)

    async def run(self, up):
        """Look around each second, for ever."""
        up()
        try:
            while True:
                self.step()
                await self.clock.sleep_ms(EVERY_MS)
        finally:
            self.save()

    def step(self):
        """One look around."""
        ticks, wall = self.clock.ticks_ms(), self.clock.wall_ms()
        span = max(0, ticks_diff(ticks, self.ticks))
        descent.clock(self, wall - self.wall - span)
        self._power(span)
        descent.heat(self, meters.celsius(self.root))
        descent.accelerators(self, ticks)
        if not self.mains:
            self.policy.level(self.charge.mj)
            if wall // SLOT_MS != self.wall // SLOT_MS:
                self._slot(wall)
            need = self.policy.plan.need
            self.ladder.set("energy", 2 if self.policy.tight else int(need >= 500), "%.0f %% of charge" % self.percent())
        self.ticks, self.wall = ticks, wall
        self._regular(wall)

    def _power(self, span):
        """What was drawn and gained since the last look."""
        self._spend("base", self.board["name"], int(self.board["idle_mw"] * span))
        for c in self.policy.classes:
            if c.device and c.name not in self.policy.off:
                self._spend("device", c.device.name, c.device.power_mw * span)
        busy, joules, self.spent_uj = self.spent_uj > self.board["idle_mw"] * span * 1.02, self.spent_uj / 1e6, 0
        self.model.told(joules)
        self.watts = self.sources.watts(busy)
        drawn = joules * 1000 if self.sources.name == "model" else self.watts * span
        self.metered_j += drawn / 1000
        before = self.charge.mj
        after = self.charge.update(int(drawn), 0)
        gained = max(0, after - before + int(drawn))
        self.harvested += gained

    def _slot(self, wall):
        """A slot of the plan has ended."""
        self.journal.slot(self.harvested, wall)
        self.policy.tick(wall, self.charge.mj, self.harvested)
        self.harvested = 0
        self.ladder.set("clock", 0)

    def _regular(self, wall):
        """Each minute the account, now and then the file and the summary."""
        if abs(wall - self.minute) >= MINUTE_MS:
            self._minute(abs(wall - self.minute) / 1000)
            self.minute = wall
        if abs(wall - self.saved) >= SAVE_MS:
            self.save()
            self.saved = wall
        if abs(wall - self.told) >= 1000 * self.values["summary_s"]:
            self.told = wall
            self.offer([summary(self, wall)])

    def _minute(self, seconds):
        """Attribution: only a meter that measures has something to teach."""
        if self.sources.name != "model":
            self.account.update(self.counts, seconds, self.metered_j)
            self.counters["residual_alarms"] = self.account.alarms
        self.counts, self.metered_j = {}, 0.0

    def percent(self):
        """Charge of the battery; None on mains."""
        return None if self.mains else 100 * self.charge.mj / self.charge.capacity

    def shown(self):
        """For `heed energy show`."""
        return shown(self)

    def counted(self):
        """For the status."""
        return dict(self.counters, **self.policy.counters, **self.ladder.counters, **self.sources.counters, **self.charge.counters)

    def save(self):
        """Ledger, history and charge to disk."""
        keep(self.path, self)
