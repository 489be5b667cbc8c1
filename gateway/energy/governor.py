"""The energy policy at work on a gateway: asks meter, gauge and thermometer, plans, keeps the ledger, the ladder and the certificate."""

import os
from pathlib import Path

from gateway.core.compat import ticks_diff
from gateway.energy import accounts, descent, meters
from gateway.energy.arrivals import Arrivals
from gateway.energy.devices import Devices
from gateway.energy.governed import GovernedModel
from gateway.energy.harvest import SLOT_MS
from gateway.energy.journal import Journal
from gateway.energy.ladder import Ladder
from gateway.energy.learnt import Learnt
from gateway.energy.ledger import Ledger
from gateway.energy.policy import EnergyPolicy
from gateway.energy.price import Plan
from gateway.energy.report import shown, summary
from gateway.energy.rests import Rests
from gateway.energy.sources import Charge, Sources
from gateway.energy.start import chosen, gauge_of, keep, read, tables_of

EVERY_MS, SAVE_MS, MINUTE_MS, DAY_MS = 1000, 60000, 60000, 86400000
FILE = "energy.json"


class Governor:
    """config: EnergyConfig; offer(summaries): to the outbox. HEED_SYSFS names a tree of fakes in place of "/". A child of the
    supervisor."""

    def __init__(self, config, folder, context, name, offer):
        self.root = Path(os.environ.get("HEED_SYSFS", "/"))
        self.values, self.board = config.values, config.board
        self.path, self.clock, self.name, self.offer = Path(folder) / FILE, context.clock, name, offer
        capacity, kept = int(self.values["battery_wh"] * 3600000), read(Path(folder) / FILE)
        self.ladder, self.ledger, self.mains = Ladder(context.log), Ledger(kept["days"]), not capacity
        self.policy = EnergyPolicy(config.classes, capacity or 1, int(self.board["idle_mw"]), int(1000 * self.values["worst"]))
        self.devices = Devices(config.devices, self.policy)
        self.policy.base_mw += self.devices.always_mw
        self.policy.harvest.slots, self.policy.harvest.next = kept["harvest"], kept["next"]
        self.arrivals = Arrivals(self.now_us, config.classes)
        self.rests = Rests(self.policy, self.clock, self.started)
        self.sources = Sources(chosen(self.values["meter"], self.root), (self.board["idle_mw"] + self.board["busy_mw"]) / 1000, self.ladder)
        self.charge = Charge(gauge_of(self.values["gauge"], self.root), capacity or 1, kept.get("share", self.values["start"]), self.ladder)
        account = accounts.Account(*tables_of(config.classes), self.board["idle_mw"] / 1000)
        self.learnt = Learnt(self.policy, account, self.values["learn_energy"], self.devices.always_mw, context.log)
        self.learnt.restore(kept.get("learnt", {}))
        self.journal = Journal(self, kept["certificates"])
        self.counters = {"jobs": 0, "critical_missed": 0, "clock_jumps": 0, "residual_alarms": 0}
        self.lost_at, self.watts, self.counts = {}, 0.0, {}
        self.metered_j, self.spent_uj, self.harvested, self.ticks = 0.0, 0, 0, self.clock.ticks_ms()
        self.wall = self.saved = self.minute = self.told = self.clock.wall_ms()
        self._begin()

    def _begin(self):
        self.charge.update(0)
        if self.mains:
            self.policy.plan = Plan(0)
        else:
            self.policy.begin(self.clock.wall_ms(), self.charge.mj)

    def govern(self, name, model):
        """The model of a plugin under the policy; the model itself where no class has the plugin's name."""
        c = self._class_of(name)
        return GovernedModel(model, c, self) if c else model

    def _class_of(self, plugin):
        return next((c for c in self.policy.classes if c.name == plugin), None)

    def metered(self, made, part, verbs):
        """Keep account of the processor time of a part, at the board's busy draw of one core; part: its PartConfig."""
        mw = self.board["busy_mw"] / self.board["cores"] / 1000000
        accounts.metered(made, verbs, lambda ns: self.arrivals.held(ns // 1000) or self._spend(part.table, part.name, int(ns * mw)))
        if part.table == "plugin":
            self.arrivals.watch_plugin(made, part.name)
        c = self._class_of(part.feeds)
        if c:
            self.rests.rest(made, part.name, c, part.found.manifest.get("rest_ms", 0), self.devices.camera(c))
            self.arrivals.watch_sensor(made, c.name)

    def now_us(self):
        """Monotonic time of the policy's."""
        return self.clock.ticks_ms() * 1000

    def arrived(self, c):
        """When the data of a job came; tells the policy of the job."""
        at = self.arrivals.at(c.name)
        self.policy.arrived(c, at)
        self.journal.came(c)
        return at

    def choose(self, c, arrived):
        """Index of the variant that the policy takes for a job, beside the critical ones that wait; -1 when it is refused."""
        return self.policy.choose(c, self.now_us(), arrived + c.deadline_us, self.arrivals.waiting(self.policy.classes))

    def started(self, device):
        """A device was switched on: the energy of its start."""
        self._spend("device", device, self.devices.start_uj(device))

    def done(self, c, index, took_us, arrived):
        """A job has ended."""
        variant = c.variants[index]
        self.policy.done(c, index, max(1, took_us))
        self.arrivals.held(took_us)
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
        devices = self.devices.drawn(span)
        for name, uj in devices:
            self._spend("device", name, uj)
        busy, joules, self.spent_uj = self.spent_uj > self.board["idle_mw"] * span * 1.02, self.spent_uj / 1e6, 0
        self.sources.meters[-1].told(joules)
        self.watts = self.sources.watts(busy)
        drawn = joules * 1000 if self.sources.name == "model" else self.watts * span
        self.metered_j += drawn / 1000 - sum(uj for _, uj in devices) / 1e6
        self.harvested += self.charge.update(int(drawn), self.watts)

    def _slot(self, wall):
        """A slot of the plan has ended. What came in is known as well as the gauge is fine: what seems to be less than nothing is
        taken off the slots that follow."""
        harvested = max(0, self.harvested)
        self.harvested -= harvested
        self.journal.slot(harvested, wall)
        self.policy.tick(wall, self.charge.mj, harvested)
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
            self.learnt.minute(self.counts, seconds, self.metered_j)
            self.counters["residual_alarms"] = self.learnt.account.alarms
        self.counts, self.metered_j = {}, 0.0

    def percent(self):
        """Charge of the battery; None on mains."""
        return None if self.mains else 100 * self.charge.mj / self.charge.capacity

    def shown(self):
        """For `heed energy show`."""
        return shown(self)

    def counted(self):
        """For the status."""
        parts = [self.policy, self.ladder, self.sources, self.charge, self.arrivals, self.rests, self.learnt, self.devices.switches,
                 self.devices.duty]
        return dict(self.counters, **{name: n for part in parts if part for name, n in part.counters.items()})

    def save(self):
        """Ledger, history and charge to disk."""
        keep(self.path, self)
