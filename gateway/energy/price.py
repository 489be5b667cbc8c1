"""The price of a joule: what it would earn later, learnt from the gateway's own harvest. And the reserve that is not for sale.

Each day known, pulled to the weather of the last hours, is a day that may come. For each the best price is found for as long as
the battery is neither full nor empty (the first stretch of a taut string): too cheap where the battery would be empty before it
is full, or where the charge left would earn more, spread over the three days after; too dear otherwise. The look-ahead price is the
mean over those days. A third of the price is that of drift, which rises as the battery falls (Lyapunov drift plus penalty: Huang and
Neely, arXiv 1012.1945): it pays for what no day known has shown.

Near the floor, which is what a day and a half takes that is poorer by a third than the poorest known but one, the price goes over to
that of need, step by step in the table of prices: what is worth least per joule stops first. Below the reserve, what eight such
hours take when only critical jobs run, at their smallest, nothing is for sale.
"""
# runs on CPython and MicroPython

from gateway.energy.harvest import DAY

SPREAD = 3  # days over which the charge that a day leaves is spent, as the salvage of the certificate
FADE = 850  # per mille: what the last hours say of the weather fades by the hour like this
DRIFT, TARGET = 3, 900  # times the middle price, of an empty battery; per mille of the capacity where drift costs nothing
POOR, POORER = 1, 650  # the deepest fall but one of those known, when the sun brings so many per mille of what it brought
AHEAD, NIGHT = 36, 8  # hours that the floor is for, and the reserve
RAMP, LITTLE = 220, 20  # per mille of the capacity: above the floor where need begins; under the reserve


class Plan:
    """What holds until the next plan. price: points per joule; long_run: at which a mean day pays for itself; floor, reserve: mJ;
    need: per mille, how far the price is that of need."""

    def __init__(self, price, long_run=0, floor=0, reserve=0, need=0):
        self.price, self.long_run, self.floor, self.reserve, self.need = price, long_run, floor, reserve, need


def plan(charge, capacity, base_mw, demand, harvest, slot):
    """Plan for the slot that begins. charge, capacity: mJ; base_mw: what is always drawn."""
    base, hour, days = base_mw * 3600, slot * 24 // DAY, harvest.hours()
    drift = DRIFT * demand.middle * max(0, TARGET - 1000 * charge // capacity) // TARGET
    if days:
        spare = harvest.mean() - 24 * base
        found = Plan((2 * expected(charge, capacity, base, demand, days, spare, hour) + drift) // 3, demand.price_for(spare))
    else:
        found = Plan(max(drift, demand.middle), demand.middle)
    guard(found, charge, capacity, base, demand, days or [[0] * NIGHT], hour)
    return found


def turned(hours, base, hour):
    """mJ drawn in each of the 24 hours from now on; hours: mJ that jobs take by hour of the day."""
    return [mj + base for mj in hours[hour:] + hours[:hour]]


def expected(charge, capacity, base, demand, days, spare, hour):
    """Mean over the days to come of the price that would be best for each. spare: mJ that a mean day leaves for jobs."""
    draws = [turned(hours, base, hour) for hours in demand.hours]
    found = 0
    for day in to_come(days):
        low, high = 0, len(draws) - 1
        while low < high:
            middle = (low + high) // 2
            if cheap(charge, capacity, day, draws[middle], demand, demand.prices[middle], spare):
                low = middle + 1
            else:
                high = middle
        found += demand.prices[low]
    return found // len(days)


def cheap(level, capacity, day, draw, demand, price, spare):
    """Whether a price is below the best for a day: see above."""
    for gained, lost in zip(day, draw):
        level += gained - lost
        if level > capacity:
            return False
        if level < 0:
            return True
    return price < demand.price_for(spare + level // SPREAD)


def to_come(days):
    """The days known, each as the mean day in the weather of the last hours at first, as itself later."""
    mean = [sum(hours) // len(days) for hours in zip(*days)]
    clear = clearness(days[-1], mean)
    for day in days:
        share, out = 1000, []
        for usual, own in zip(mean, day):
            out.append((share * (usual * clear // 1000) + (1000 - share) * own) // 1000)
            share = share * FADE // 1000
        yield out


def clearness(last, mean):
    """Per mille of the mean that the last hours brought, the latest counting most; 2000 at most."""
    weight, seen, usual = 1 << 20, 0, 0
    for gained, mj in zip(reversed(last), reversed(mean)):
        seen += gained * weight
        usual += mj * weight
        weight = weight * 4 // 5
    return min(2000, seen * 1000 // usual) if usual else 1000


def deepest(run, draw):
    """How far the battery falls at most, in mJ, when hours bring POORER of `run` and take `draw`, over and over."""
    level = low = 0
    for i, gained in enumerate(run):
        level += gained * POORER // 1000 - draw[i % len(draw)]
        if level < low:
            low = level
    return -low


def fall(days, draw, hours):
    """The deepest fall but one within so many hours, of those that begin with each day known."""
    runs = [days[i] + days[i + 1] for i in range(len(days) - 1)] or days
    falls = sorted([deepest(run[:hours], draw) for run in runs], reverse=True)
    return falls[min(POOR, len(falls) - 1)]


def guard(found, charge, capacity, base, demand, days, hour):
    """Put floor and reserve into a plan, and raise its price where the charge is near the floor."""
    most = capacity * 9 // 10
    found.floor = min(most, fall(days, turned(demand.at(demand.thrift), base, hour), AHEAD))
    found.reserve = min(most, fall(days, turned(demand.least(), base, hour), NIGHT) + LITTLE * capacity // 1000)
    begins = found.floor + RAMP * capacity // 1000
    span = max(1, begins - found.reserve)
    found.need = 1000 * min(span, max(0, begins - charge)) // span
    found.price = demand.between(found.price, demand.thrift, found.need)
