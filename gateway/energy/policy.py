"""EnergyPolicy: which variant of a job runs, at the price of a joule, so that every critical job meets its deadline.

Plain functions, no clock of its own, no solver: the same object decides on the gateway, in the simulator, in the benchmark and on
a microcontroller. The executor is not preemptive. What can be proved: a critical job whose smallest variant, slowed down by
`worst`, fits its period meets its deadline while there is power, whatever else is asked for (the blocking test of Jeffay, Stanat
and Martel, RTSS 1991); and nothing else starts below the reserve (after Moser et al., Real-Time Systems 37, 2007).
"""
# runs on CPython and MicroPython

from gateway.energy.harvest import Harvest, SLOT_MS, DAY
from gateway.energy.load import Demand
from gateway.energy.price import plan

MARGIN = 125  # percent: a time in the table is a mean; three standard deviations of the noise between runs
FILTER = 10  # a job moves the slow-down by a tenth (the filter of ALERT, Wan et al., ATC 2020)
FAR = 1 << 60
REASONS = ("price", "time", "reserve", "device")


class EnergyPolicy:
    """capacity: mJ of the battery; base_mw: always drawn; worst: per mille, how much slower a job may become.

    tick() each slot, level() as often as the charge is known, choose() for each job, done() after it.
    """

    def __init__(self, classes, capacity, base_mw, worst=1600, harvest=None):
        self.classes, self.capacity, self.base_mw, self.worst = classes, capacity, base_mw, worst
        self.demand = Demand(classes)
        self.harvest = harvest or Harvest()
        self.plan = None
        self.charge = capacity
        self.tight = False
        self.slow = 1000
        self.heat = 0
        self.lost = ()
        self.expected = {c.name: None for c in classes if c.critical}
        self.counters = {"refused_" + reason: 0 for reason in REASONS}
        self.counters["switched"] = 0
        self.jobs = {c.name: 0 for c in classes}
        self.hour = None
        self.off, self.blind = set(), set()  # classes whose device is off; those for which it was, within this hour

    def tick(self, now_ms, charge, harvested):
        """A slot has ended: `harvested` mJ came in, the battery holds `charge`. Plans the next one."""
        self.harvest.add(now_ms // SLOT_MS - 1, harvested)
        self.begin(now_ms, charge)

    def begin(self, now_ms, charge):
        """Plan the slot that begins, from what is known."""
        slot = now_ms // SLOT_MS
        self._count_hour(slot % DAY * 24 // DAY)
        self.plan = plan(charge, self.capacity, self.base_mw, self.demand, self.harvest, slot % DAY)
        self.level(charge)
        self._switch(slot % DAY * 24 // DAY)

    def _switch(self, hour):
        """A device is on while the jobs that need it are worth more than it draws; one that is off must earn its start, too."""
        for c in self.classes:
            if c.device and not c.critical:
                spent, points = c.hour(self.plan.price, hour)
                start = c.device.start_mj if c.name in self.off else 0
                worth = not self.tight and points > self.plan.price * (spent + start) // 1000
                if worth == (c.name in self.off):
                    self.counters["switched"] += 1
                    (self.off.remove if worth else self.off.add)(c.name)
        self.blind |= self.off

    def _count_hour(self, hour):
        """Learn how many jobs an hour of the day brings."""
        if self.hour is not None and hour != self.hour:
            for c in self.classes:
                seen, before = self.jobs[c.name], c.hourly[self.hour]
                self.jobs[c.name] = 0
                if c.name in self.blind:
                    continue
                # an hour unlike any before counts for more: a camera was added, or lost
                share = 2 if 2 * abs(seen - before) > before else 4
                c.hourly[self.hour] = before + (seen - before) // share
            self.blind = set(self.off)
            self.demand.learn()
        self.hour = hour

    def level(self, charge):
        """The battery holds `charge` mJ. Below the reserve only critical jobs run, at their smallest, until 5 % above it."""
        self.charge = charge
        reserve = self.plan.reserve if self.plan else 0
        tight = charge < (reserve * 105 // 100 if self.tight else reserve)
        if tight != self.tight:
            self.tight = tight
            if self.hour is not None:
                self._switch(self.hour)

    def arrived(self, c, now_us):
        """A job of class `c` has come."""
        self.jobs[c.name] += 1
        if c.critical:
            self.expected[c.name] = now_us + c.period_us

    def room(self, now_us, waiting, own=None):
        """Time at which the executor must be free again, so that every job in `waiting` and the next critical one of each class
        can still be done at its smallest; waiting: [(deadline_us, JobClass)]; own: class of the job at hand."""
        jobs = [job for job in waiting if job[1].critical or now_us + self._soon(job[1]) <= job[0]]
        for c in self.classes:
            if c.critical and self.expected[c.name] is not None:
                jobs.append((max(now_us, self.expected[c.name]) + c.deadline_us, c))
        if len(jobs) > 1:
            jobs.sort(key=_deadline, reverse=True)
        free = FAR
        for deadline, c in jobs:
            free = min(free, deadline) - (c.variants[0].time_us * self._slowest() // 100000 if c.critical else self._soon(c))
        return free

    def _slowest(self):
        """The slow-down to be reckoned with, and the margin on it: per 100000."""
        return max(self.worst, self.slow) * MARGIN

    def _soon(self, c):
        """How long the smallest variant of a class will take, with a margin."""
        return c.variants[0].time_us * self.slow * MARGIN // 100000

    def choose(self, c, now_us, deadline_us, waiting=()):
        """Index of the variant to run now, -1 to refuse the job (the reason is counted). A critical job is never refused."""
        if self.tight:
            if c.critical:
                return self._here(c)
            return self._refuse("reserve")
        if c.name in self.off:
            return self._refuse("device")
        free = self.room(now_us, waiting)
        price = self.plan.price if self.plan else self.demand.middle
        slowest = self._slowest()
        likely = slowest if c.critical else self.slow * MARGIN
        best, most, fits = -1, 0, False
        for i, variant in enumerate(c.variants[:self._cool(c)] if self.heat else c.variants):
            if variant.device in self.lost and variant.device:
                continue
            time_us = variant.time_us
            if now_us + time_us * likely // 100000 > deadline_us or now_us + time_us * slowest // 100000 > free:
                continue
            fits = True
            score = variant.points - price * variant.energy_uj // 1000000
            if score > most or best < 0 and c.critical:
                best, most = i, score
        if best >= 0:
            return best
        if c.critical:
            return self._here(c)
        return self._refuse("price" if fits else "time")

    def _cool(self, c):
        """How many variants are left: hot, all but the largest; very hot, the smallest."""
        return 1 if self.heat > 1 else max(1, len(c.variants) - 1)

    def _here(self, c):
        """The smallest variant whose device is there."""
        for i, variant in enumerate(c.variants):
            if not variant.device or variant.device not in self.lost:
                return i
        return 0

    def _refuse(self, reason):
        self.counters["refused_" + reason] += 1
        return -1

    def done(self, c, index, took_us):
        """A job took `took_us`: the slow-down follows."""
        expected = c.variants[index].time_us
        self.slow = max(1000, self.slow + (took_us * 1000 // expected - self.slow) // FILTER)


def _deadline(job):
    return job[0]
