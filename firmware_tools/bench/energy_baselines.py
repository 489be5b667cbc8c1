"""What others do, and what could be done by hand: the schedulers that the policy is measured against."""

import itertools

from gateway.energy.policy import EnergyPolicy, FILTER, MARGIN


class Plain:
    """Earliest deadline first (or first in, first out), no plan. pick: index per class, or a function of (class, slack us)."""

    def __init__(self, classes, capacity, base_mw, pick=None, fifo=False):
        self.classes, self.capacity, self.pick, self.fifo = classes, capacity, pick, fifo
        self.charge, self.slow, self.off = capacity, 1000, set()

    def begin(self, now_ms, charge):
        """Plans nothing."""

    def tick(self, now_ms, charge, harvested):
        """Plans nothing."""
        self.charge = charge

    def level(self, charge):
        """Remember the charge."""
        self.charge = charge

    def arrived(self, c, now_us):
        """Counts nothing."""

    def choose(self, c, now_us, deadline_us, waiting=()):
        """The variant that was picked beforehand."""
        return self.pick[c.name]

    def done(self, c, index, took_us):
        """The slow-down follows, for those that use it."""
        self.slow = max(1000, self.slow + (took_us * 1000 // c.variants[index].time_us - self.slow) // FILTER)

    def fits(self, c, slack_us):
        """Index of the largest variant that should end in time, -1 when none does."""
        found = [i for i, v in enumerate(c.variants) if v.time_us * self.slow * MARGIN // 100000 <= slack_us]
        return found[-1] if found else -1


class LargestThatFits(Plain):
    """EDF with the largest variant that ends in time."""

    def choose(self, c, now_us, deadline_us, waiting=()):
        return max(self.fits(c, deadline_us - now_us), 0 if c.critical else -1)


class Thresholds(Plain):
    """EDF; the battery's charge says small, mid or large; below 10 % critical jobs only."""

    def choose(self, c, now_us, deadline_us, waiting=()):
        share = self.charge / self.capacity
        if share < .10 and not c.critical:
            return -1
        wanted = 0 if share < .35 else (len(c.variants) - 1) // 2 if share < .70 else len(c.variants) - 1
        return max(min(wanted, self.fits(c, deadline_us - now_us)), 0 if c.critical else -1)


class AlertLike(Plain):
    """After ALERT (Wan et al., ATC 2020): a slow-down filter, and the best variant within an energy allowance; here the
    allowance of a day is the mean harvest of the days before, shared out by the jobs that are expected."""

    def __init__(self, classes, capacity, base_mw):
        super().__init__(classes, capacity, base_mw)
        self.base, self.past, self.today, self.share = base_mw * 86400, [], 0, 1.0

    def tick(self, now_ms, charge, harvested):
        self.charge, self.today = charge, self.today + harvested
        if now_ms % 86400000 == 0:
            self.past, self.today = self.past[-29:] + [self.today], 0
        if self.past:
            goal = sum(self.past) / len(self.past) - self.base
            goal -= sum(c.device.power_mw * 86400 for c in self.classes if c.device)
            self.share = max(0.0, goal / sum(sum(c.hourly) * c.variants[-1].energy_uj / 1000 for c in self.classes))

    def choose(self, c, now_us, deadline_us, waiting=()):
        last = c.variants[-1].energy_uj
        found = [i for i, v in enumerate(c.variants) if v.energy_uj <= self.share * last]
        return max(0, min(found[-1] if found else 0, self.fits(c, deadline_us - now_us)))


class Lyapunov(EnergyPolicy):
    """A price that rises as the battery falls (drift plus penalty: Huang and Neely, arXiv 1012.1945), scaled by the load's middle
    price, with the blocking guard."""

    def begin(self, now_ms, charge):
        super().begin(now_ms, charge)
        self.plan.price = int(3 * self.demand.middle * max(0, .9 - charge / self.capacity) / .9)
        self.plan.reserve = 0
        self.level(charge)


def static_sets(classes):
    """Every set of one variant per class, or none for a class that is not critical."""
    choices = [range(0 if c.critical else -1, len(c.variants)) for c in classes]
    return [dict(zip([c.name for c in classes], picked)) for picked in itertools.product(*choices)]


def best_static(site, parts):
    """The set that would have been best, knowing the future; energy by the minute; of sets that the executor can keep up with when slow."""
    import numpy as np
    from gateway.energy.salvage import salvage
    minute = (site.times // 60000000).clip(0, site.minutes - 1)
    jobs = [np.bincount(minute[site.kinds == number], minlength=site.minutes) for number in range(len(site.classes))]
    harvest, best = np.asarray(site.harvest, float), (None, {})
    for picked in static_sets(site.classes):
        drawn = np.full(site.minutes, site.base_mw * 60.0)
        points, ok = 0, True
        busy = sum(c.variants[picked[c.name]].time_us * 1.5 / c.period_us for c in site.classes if picked[c.name] >= 0)
        for c, n in zip(site.classes, jobs):
            index = picked[c.name]
            if index >= 0:
                variant = c.variants[index]
                drawn += n * variant.energy_uj / 1000 + (c.device.power_mw * 60 if c.device else 0)
                points += int(n.sum()) * variant.points
                ok = ok and variant.time_us * 1.5 < c.deadline_us and not any(
                    o.critical and variant.time_us * 1.5 > o.deadline_us - o.variants[0].time_us for o in site.classes)
        level = site.charge
        for change in (harvest - drawn).reshape(-1, 20).sum(1):
            level = min(site.capacity, level + change)
            ok = ok and level > 0 and busy <= 1
        worth = points + salvage(parts, int(max(0, level)))
        if ok and (best[0] is None or worth > best[0]):
            best = worth, picked
    return best[1] or {c.name: 0 if c.critical else -1 for c in site.classes}


class Static(Plain):
    """A set that is kept, and with it the devices that it needs."""

    def __init__(self, classes, capacity, base_mw, pick):
        super().__init__(classes, capacity, base_mw, pick)
        self.off = {name for name, index in pick.items() if index < 0}
