"""The windows of the energy benchmark: three days of a trace, a panel sized to its mean, and what may be wrong at the site."""

import copy

import numpy as np

from firmware_tools.bench.energy_sim import Site, arrivals, spells
from gateway.core.errors import ConfigError
from gateway.energy.harvest import DAY, Harvest, SLOT_MS
from gateway.energy.salvage import frontier

WINDOW_DAYS, PAST_DAYS, BATTERY_H, EFFICIENCY, START = 3, 30, 36, .92, .6
SIZES = (.03, .35, .70, .98)  # of the way from all smallest to all largest, that the panel's mean pays for
SPELL = 1.5
MINUTES = 1440


def daily(classes, index):
    """mJ of a day when each class runs variant `index` of (0 smallest, 1 mid, 2 largest), devices on."""
    total = 0
    for c in classes:
        variant = c.variants[(0, (len(c.variants) - 1) // 2, -1)[index]]
        total += sum(c.hourly) * variant.energy_uj // 1000 + (c.device.power_mw * 86400 if c.device else 0)
    return total


class Window:
    """One window. site: what happens; past: mJ per slot of the days before it; mean_mj: of a mean day at this panel; told:
    the classes as the policy is told."""

    def __init__(self, trace, day, size, classes, base_mw, bursts, days=WINDOW_DAYS, fault=None):
        self.trace, self.day, self.size, self.days, self.fault = trace.name, day, size, days, fault or Fault()
        self.told = classes
        true = self.fault.true(classes)
        self.mean_mj = base_mw * 86400 + daily(classes, 0) + size * (daily(classes, 2) - daily(classes, 0))
        per_minute = self.mean_mj / MINUTES / around(trace, day)
        self.told_capacity = int((base_mw * 86400 + daily(classes, 1)) * BATTERY_H / 24)
        capacity = int(self.told_capacity * self.fault.capacity)
        harvest = trace.minutes[day * MINUTES:(day + days) * MINUTES] * per_minute
        harvest = (harvest * self.fault.soiled).astype(int).tolist()
        before = trace.minutes[max(0, day - PAST_DAYS) * MINUTES:day * MINUTES] * per_minute
        self.past = before.reshape(-1, SLOT_MS // 60000).sum(1).astype(int).tolist()
        jobs = self.fault.jobs(arrivals(true, days, 1000 * day + int(100 * size), bursts), true)
        slow = spells(jobs[0], day, self.fault.slow)
        self.site = Site(true, base_mw, capacity, int(START * capacity), harvest, jobs, slow)
        self.parts = frontier(true, self.mean_mj - base_mw * 86400)

    @property
    def name(self):
        """Trace, first day and size of the panel."""
        return "%s day %d, panel %.2f" % (self.trace, self.day, self.size)

    def known(self):
        """The harvest history that the gateway has when the window begins."""
        harvest = Harvest()
        for number, mj in enumerate(self.past[-PAST_DAYS * DAY:]):
            harvest.add(number - len(self.past[-PAST_DAYS * DAY:]), mj)
        return harvest

    def classes(self):
        """The classes as the policy is told, its own to change."""
        return self.fault.told(copy.deepcopy(self.told))


class Fault:
    """What is not as the policy is told. Each a factor; camera: whether one more stream of frames comes on the second day."""

    def __init__(self, name="", energy=1.0, slow=SPELL, meter=0.0, soiled=1.0, capacity=1.0, camera=False):
        self.name, self.energy, self.slow, self.meter = name, energy, slow, meter
        self.soiled, self.capacity, self.camera = soiled, capacity, camera

    def true(self, classes):
        """The classes as they are."""
        return classes

    def told(self, classes):
        """Energies wrong by the factor, up for every second variant and down for the others."""
        for c in classes:
            for number, variant in enumerate(c.variants):
                wrong = self.energy if number % 2 else 1 / self.energy
                variant.energy_uj = max(1, int(variant.energy_uj * wrong))
        return classes

    def jobs(self, found, classes):
        """The jobs, with those of the added camera."""
        times, kinds = found
        if not self.camera:
            return found
        number = len(classes) - 1
        more = times[(kinds == number) & (times > 86400000000)] + 125000
        times, kinds = np.concatenate([times, more]), np.concatenate([kinds, np.full(len(more), number, kinds.dtype)])
        order = np.argsort(times, kind="stable")
        return times[order], kinds[order]

    def gauge(self, seed):
        """meter(mJ, minute): a meter with noise."""
        noise = np.random.default_rng(seed).normal(1, self.meter, 1 << 16) if self.meter else None
        return lambda mj, minute: mj if noise is None else mj * noise[minute & 0xFFFF]


FAULTS = (Fault("energy tables off by 20 %", energy=1.2), Fault("slow-down up to 1.6", slow=1.6), Fault("meter noise of 2 %", meter=.02),
          Fault("soiled panel", soiled=.85), Fault("aged battery", capacity=.8), Fault("camera added on the second day", camera=True))


def around(trace, day):
    """Mean of the thirty days around one."""
    return trace.minutes[max(0, day - 15) * MINUTES:(day + 15) * MINUTES].mean()


def starts(trace, n, days=WINDOW_DAYS):
    """First days of at most `n` windows, evenly over what a trace has after its first days of history; none where the thirty days
    around bring nothing. Raises ConfigError where that leaves none."""
    first, last = max(1, min(PAST_DAYS, trace.days // 4)), trace.days - days
    if last < first:
        raise ConfigError("trace %s has %d days" % (trace.name, trace.days), "give %d whole days at least: a day that is known, and a window"
                          % (days + 1))
    found = [round(first + (last - first) * i / (n - 1)) for i in range(n)] if n > 1 else [(first + last) // 2]
    found = [day for day in sorted(set(found)) if around(trace, day) > 0]
    if not found:
        raise ConfigError("trace %s brings nothing" % trace.name, "is it W/m2 or W, and are the numbers in the second column?")
    return found
