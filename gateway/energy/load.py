"""What asks for energy: classes of jobs with their variants, and the devices that they need. Integers throughout.

Units: time us, energy of a job uJ, energy of a slot or a battery mJ, power mW, value "points" (millionths of one job
of weight 1 done at its best), price points per joule.
"""
# runs on CPython and MicroPython

HOURS = 24
THRIFT = 40  # per mille of the demand's span that still runs in need: what is worth most per joule


class Variant:
    """One way to do a job. time_us: cool and alone on this board; energy_uj: above idle; utility: per mille of the best;
    device: name of the Device it runs on, or ""."""

    def __init__(self, name, time_us, energy_uj, utility, device=""):
        self.name, self.device = name, device
        self.time_us, self.energy_uj, self.utility = time_us, energy_uj, utility
        self.points = 0


class Device:
    """Something that draws power while it is on, and energy to start: a camera, a Coral port, a radio. names: of its parts, which
    are on together."""

    def __init__(self, name, power_mw, start_mj=0, names=None):
        self.name, self.power_mw, self.start_mj = name, power_mw, start_mj
        self.names = names or (name,)


def together(devices):
    """One Device of several, None of none."""
    if len(devices) < 2:
        return devices[0] if devices else None
    names = tuple([device.name for device in devices])
    return Device("+".join(names), sum([device.power_mw for device in devices]), sum([device.start_mj for device in devices]), names)


class JobClass:
    """weight: per mille, 1000 is the usual; variants: smallest first; device: that all of its jobs need, or None;
    period_us: shortest time between two jobs; hourly: jobs expected in each hour of the day."""

    def __init__(self, name, weight, deadline_us, period_us, critical, variants, hourly, device=None):
        self.name, self.weight, self.critical = name, weight, critical
        self.deadline_us, self.period_us = deadline_us, period_us
        self.variants = variants
        self.hourly = list(hourly)
        self.device = device
        for variant in variants:
            variant.points = weight * variant.utility

    def best(self, price):
        """Index of the variant that is worth most at a price; -1 when none is worth it. A critical job is always done."""
        found, most = (0, None) if self.critical else (-1, 0)
        for i, variant in enumerate(self.variants):
            score = variant.points - price * variant.energy_uj // 1000000
            if most is None or score > most:
                found, most = i, score
        return found

    def hour(self, price, hour):
        """(mJ, points) that an hour of the day takes and gives at a price, its device included."""
        return self._hour(self.best(price), price, self.hourly[hour])

    def day(self, price):
        """[(mJ, points)] of the 24 hours."""
        best = self.best(price)
        return [self._hour(best, price, jobs) for jobs in self.hourly]

    def _hour(self, best, price, jobs):
        if best < 0:
            return 0, 0
        variant = self.variants[best]
        spent, points = jobs * variant.energy_uj // 1000, jobs * variant.points
        if self.device:
            spent += self.device.power_mw * 3600
            if not self.critical and points <= price * spent // 1000:
                return 0, 0
        return spent, points


class Demand:
    """How much energy a day's jobs are worth at each price: the curve that the policy lives by. middle: the price that halves
    it; thrift: the price in need."""

    def __init__(self, classes):
        self.classes = classes
        self.learn()

    def learn(self):
        """Work the curve out anew: rates or tables have changed."""
        top = max([1] + [self._dearest(c) for c in self.classes])
        self.prices = [0]
        price = max(1, top // 1000)
        while price < top * 11 // 10:
            self.prices.append(price)
            price = price * 116 // 100 + 1
        self.prices.append(price)
        self.hours = [self._day(price) for price in self.prices]
        self.days = [sum(hours) for hours in self.hours]
        self.middle = self.price_for((self.days[0] + self.days[-1]) // 2)
        self.thrift = self.price_for(self.days[-1] + (self.days[0] - self.days[-1]) * THRIFT // 1000)

    def _day(self, price):
        return [sum([mj for mj, _ in hour]) for hour in zip(*[c.day(price) for c in self.classes])]

    def _dearest(self, c):
        """The price above which a class asks for its smallest or for nothing."""
        first = c.variants[0]
        prices = [] if c.critical else [first.points * 1000000 // max(1, first.energy_uj)]
        for small, large in zip(c.variants, c.variants[1:]):
            prices.append((large.points - small.points) * 1000000 // max(1, large.energy_uj - small.energy_uj))
        return max(prices + [1])

    def price_for(self, day_mj):
        """Smallest price at which a day asks for no more than `day_mj`; the dearest when none does."""
        for price, asked in zip(self.prices, self.days):
            if asked <= day_mj:
                return price
        return self.prices[-1]

    def between(self, price, dear, share):
        """The price `share` per mille of the way to a dearer one, in the steps of the table, each a sixth more than the last."""
        if not share or price >= dear:
            return price
        first, last = self._place(price), self._place(dear)
        return max(price, self.prices[first + (last - first) * share // 1000])

    def _place(self, price):
        return [known >= price for known in self.prices].index(True)

    def at(self, price):
        """mJ of each hour of the day at a price."""
        for known, hours in zip(self.prices, self.hours):
            if known >= price:
                return hours
        return self.hours[-1]

    def least(self):
        """mJ of each hour of the day when only critical jobs run, at their smallest."""
        return [sum([c.hourly[hour] * c.variants[0].energy_uj // 1000 + (c.device.power_mw * 3600 if c.device else 0)
                     for c in self.classes if c.critical]) for hour in range(HOURS)]
