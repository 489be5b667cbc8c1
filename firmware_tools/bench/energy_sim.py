"""A site in simulation: battery, sun, slow-downs and jobs around the policy that runs on the gateway.

One executor that cannot be interrupted, job by job; energy in steps of a minute.
"""

import heapq

import numpy as np

from gateway.energy import certificate
from gateway.energy.harvest import SLOT_MS

MINUTE_US = 60000000
SLOT_MINUTES = SLOT_MS // 60000
RESTART, BOOT_US = .08, 40000000  # a gateway that went dark starts again at 8 % of charge, and takes 40 s
MS_DAY = 86400000


class Site:
    """What happens at a site, the same for every scheduler. classes: JobClass as they really are; harvest: mJ of each minute;
    arrivals: (times us ascending, class numbers); slow: per job, how much slower than the table; capacity, charge: mJ."""

    def __init__(self, classes, base_mw, capacity, charge, harvest, arrivals, slow):
        self.classes, self.base_mw = classes, base_mw
        self.capacity, self.charge, self.harvest = capacity, charge, harvest
        self.times, self.kinds = arrivals
        self.slow = slow
        self.minutes = len(harvest)


def arrivals(classes, days, seed, bursts=()):
    """(times us, class numbers) of jobs: a class with a period comes at it, one in `bursts` in runs of frames."""
    random, times, kinds = np.random.default_rng(seed), [], []
    for number, c in enumerate(classes):
        if c.name in bursts:
            found = burst(c, days, random)
        else:
            found = np.arange(number * 1000, days * MS_DAY * 1000, c.period_us, dtype=np.int64)
        times.append(found)
        kinds.append(np.full(len(found), number, np.int8))
    times, kinds = np.concatenate(times), np.concatenate(kinds)
    order = np.argsort(times, kind="stable")
    return times[order], kinds[order]


def burst(c, days, random, frames=30):
    """Frames at the class's period, in bursts of geometric length that come at random, as many an hour as `hourly` says."""
    out = []
    for hour in range(24 * days):
        wanted = c.hourly[hour % 24] / frames
        for start in random.uniform(0, 3600e6, random.poisson(wanted)):
            out.append(hour * 3600e6 + start + np.arange(random.geometric(1 / frames)) * c.period_us)
    found = np.sort(np.concatenate(out).astype(np.int64)) if out else np.zeros(0, np.int64)
    return found[found < days * MS_DAY * 1000]


def spells(times, seed, factor, noise=.08):
    """How much slower each job is: throttled in spells of half an hour or so each day, with noise on each."""
    random = np.random.default_rng(seed)
    slow, hot = random.lognormal(0, noise, len(times)).clip(.75, 1.25), np.zeros(len(times), bool)
    for day in range(int(times[-1] // (MS_DAY * 1000)) + 1 if len(times) else 0):
        for start in random.uniform(10, 20, 3):
            begin = (day * 24 + start) * 3600e6
            hot |= (times >= begin) & (times < begin + random.uniform(600e6, 2400e6))
    return np.where(hot, slow * factor, slow)


def log_of(site):
    """What the gateway's log would say of a site: certificate.Slots of a plan's length."""
    slots = site.minutes // SLOT_MINUTES
    slot = (site.times // (SLOT_MS * 1000)).clip(0, slots - 1)
    jobs = [np.bincount(slot[site.kinds == k], minlength=slots).tolist() for k in range(len(site.classes))]
    harvest = np.array(site.harvest).reshape(-1, SLOT_MINUTES).sum(1).tolist()
    return [certificate.Slot({c.name: n[t] for c, n in zip(site.classes, jobs)}, mj, site.base_mw * SLOT_MS // 1000, SLOT_MS)
            for t, mj in enumerate(harvest)]


class Result:
    """What a scheduler made of a site. points: value done in time; off_minutes: without power."""

    def __init__(self, classes):
        self.points, self.spilled, self.off_minutes, self.brownouts = 0, 0, 0, 0
        self.critical_missed = self.critical_dark = 0
        self.done = [[0] * len(c.variants) for c in classes]
        self.missed, self.refused = [0] * len(classes), [0] * len(classes)
        self.spent_mj, self.left = 0, 0


class Run:
    """One scheduler at one site. watch(minute, charge, policy, result), where given, sees each minute; meter(mj, minute): what the
    policy is told of an amount of energy."""

    def __init__(self, site, policy, watch=None, meter=None):
        self.site, self.policy, self.watch = site, policy, watch
        self.meter = meter or (lambda mj, minute: mj)
        self.result = Result(site.classes)
        self.charge, self.spent_uj, self.minute, self.dark_until = site.charge, 0, 0, -1
        self.gained = 0

    def advance(self, now_us):
        """Account for all minutes that end before `now_us`."""
        while (self.minute + 1) * MINUTE_US <= now_us and self.minute < self.site.minutes:
            self._step()

    def _step(self):
        site, result, minute = self.site, self.result, self.minute
        gained = site.harvest[minute]
        dark = self.dark_until >= 0
        drawn = 0 if dark else site.base_mw * 60 + self._devices() * 60 + self.spent_uj // 1000
        self.charge += gained - drawn
        self.spent_uj, self.gained = 0, self.gained + gained
        result.spent_mj += drawn
        result.spilled += max(0, self.charge - site.capacity)
        self.charge = min(self.charge, site.capacity)
        self.minute += 1
        if dark:
            result.off_minutes += 1
            if self.charge >= RESTART * site.capacity:
                self.dark_until = -1
        elif self.charge <= 0:
            self.charge, self.dark_until = 0, 0
            result.brownouts += 1
        self._tell()

    def _devices(self):
        return sum([c.device.power_mw for c in self.site.classes if c.device and c.name not in self.policy.off])

    def _tell(self):
        told = int(self.meter(self.charge, self.minute))
        if self.minute % SLOT_MINUTES == 0:
            switched = set(self.policy.off)
            self.policy.tick(self.minute * 60000, told, int(self.meter(self.gained, self.minute)))
            self.gained = 0
            self.spent_uj += sum([1000 * c.device.start_mj for c in self.site.classes
                                  if c.device and c.name in switched and c.name not in self.policy.off])
        else:
            self.policy.level(told)
        if self.watch:
            self.watch(self.minute, self.charge, self.policy, self.result)

    def run(self):
        """Result of all jobs."""
        times, kinds, slow = self.site.times.tolist(), self.site.kinds.tolist(), self.site.slow.tolist()
        classes, policy, queue = self.site.classes, self.policy, []
        policy.begin(0, int(self.charge))
        fifo, now, at, n = getattr(policy, "fifo", False), 0, 0, len(times)
        while at < n or queue:
            if not queue:
                now = max(now, times[at])
            while at < n and times[at] <= now:
                c = classes[kinds[at]]
                if self.dark_until < 0:
                    policy.arrived(c, times[at])
                    heapq.heappush(queue, (times[at] if fifo else times[at] + c.deadline_us, at, times[at] + c.deadline_us, kinds[at]))
                elif c.critical:
                    self.result.critical_dark += 1
                at += 1
            self.advance(now)
            if queue and self.dark_until >= 0:
                self._lose(queue)
            elif queue:
                _, job, deadline, kind = heapq.heappop(queue)
                now = self._do(now, job, deadline, kind, queue, slow[job])
        self.advance(self.site.minutes * MINUTE_US)
        self.result.left = self.charge
        return self.result

    def _lose(self, queue):
        """The power went while jobs waited."""
        self.result.critical_dark += sum([self.site.classes[job[3]].critical for job in queue])
        del queue[:]

    def _do(self, now, job, deadline, kind, queue, slow):
        """Run one job, or refuse it; gives the time at which the executor is free again."""
        c, result = self.site.classes[kind], self.result
        index = -1
        if now < deadline:
            told = self.policy.classes[kind]
            index = self.policy.choose(told, now, deadline, [(other[2], self.policy.classes[other[3]]) for other in queue] if queue else ())
            if index < 0:
                result.refused[kind] += 1
                return now
        if index < 0:
            result.missed[kind] += 1
            result.critical_missed += c.critical
            return now
        variant = c.variants[index]
        took = int(variant.time_us * slow)
        self.spent_uj += int(variant.energy_uj * (slow if slow > 1 else 1))
        self.policy.done(self.policy.classes[kind], index, took)
        if now + took <= deadline:
            result.done[kind][index] += 1
            result.points += variant.points
        else:
            result.missed[kind] += 1
            result.critical_missed += c.critical
        return now + took
