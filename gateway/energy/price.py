"""The price of a joule: what it would earn later, learnt from the gateway's own harvest. And the reserve that is not for sale.

Two prices, averaged. The look-ahead price is the long-run balance, made dearer when the next 24 hours come near the floor and
cheaper when the battery would overflow. The drift price rises as the battery falls (Lyapunov drift plus penalty: Huang and Neely,
arXiv 1012.1945). Both are scaled by the middle price of the demand curve, so that no load needs tuning. Near the floor, which
is what one poor day would take, the price goes over to that of need: only what is worth most per joule still runs. Below the
reserve, what eight hours of such a day take when only critical jobs run, at their smallest, nothing is for sale.
"""
# runs on CPython and MicroPython

from gateway.energy.harvest import DAY

FLOOR, FULL, SPAN = 300, 920, 350  # per mille of the capacity: troughs below cost more, peaks above cost less
DEAR, DRIFT = 5, 3  # times the middle price: the dearest look-ahead price, and the drift price of an empty battery
TARGET = 900
POOR = 1  # the poorest day but one of those known
RAMP, NIGHT = 220, DAY // 3  # per mille of the capacity above the floor where need begins; slots that the reserve is for


class Plan:
    """What holds until the next plan. price: points per joule; floor, reserve: mJ; need: per mille, how far the price is that of
    need; trough, peak: per mille of the capacity."""

    def __init__(self, price, long_run, drift, trough, peak):
        self.price, self.long_run, self.drift = price, long_run, drift
        self.trough, self.peak = trough, peak
        self.floor = self.reserve = self.need = 0


def paths(charge, scenarios, spent, capacity):
    """(trough, peak) in per mille of the capacity, means over the scenarios, when each slot takes `spent`."""
    lows = highs = 0
    for scenario in scenarios:
        level = low = high = charge
        for gained, lost in zip(scenario, spent):
            level += gained - lost
            if level < low:
                low = level
            elif level > high:
                high = level
        lows += low
        highs += high
    n = len(scenarios) * capacity
    return lows * 1000 // n, highs * 1000 // n


def turned(hours, slot):
    """24 values by hour as DAY values by slot, from now on; of each an hour's third."""
    return [hours[(slot + i) % DAY * 24 // DAY] * 24 // DAY for i in range(DAY)]


def deepest(day, spent):
    """How far the battery falls at most over a day, in mJ."""
    level = low = 0
    for gained, lost in zip(day, spent):
        level += gained - lost
        low = min(low, level)
    return -low


def plan(charge, capacity, base_mw, demand, harvest, slot):
    """Plan for the slot that begins. charge, capacity: mJ; base_mw: what is always drawn."""
    base, share = base_mw * 86400, 1000 * charge // capacity
    drift = DRIFT * demand.middle * max(0, TARGET - share) // TARGET
    mean, scenarios = harvest.mean(), harvest.scenarios()
    if mean is None:
        found = Plan(max(drift, demand.middle), demand.middle, drift, share, share)
        guard(found, charge, capacity, base, demand, [0] * NIGHT, slot)
        return found
    long_run = demand.price_for(mean - base)
    trough, peak = paths(charge, scenarios, drawn(demand.at(long_run), base, slot), capacity)
    ahead = long_run + max(0, DEAR * demand.middle - long_run) * min(FLOOR, max(0, FLOOR - trough)) // FLOOR
    ahead -= long_run * min(SPAN, max(0, peak - FULL)) // SPAN
    found = Plan((max(0, ahead) + drift) // 2, long_run, drift, trough, peak)
    guard(found, charge, capacity, base, demand, harvest.poor(POOR), slot)
    return found


def drawn(hours, base, slot):
    """mJ of each slot from now on; hours: mJ that jobs take by hour of the day."""
    return [mj + base // DAY for mj in turned(hours, slot)]


def guard(found, charge, capacity, base, demand, poor, slot):
    """Put floor and reserve into a plan, and raise its price where the charge is near the floor."""
    thrift, most = max(found.price, demand.thrift), capacity * 9 // 10
    found.floor = min(most, deepest(poor, drawn(demand.at(thrift), base, slot)))
    found.reserve = min(most, deepest(poor[:NIGHT], drawn(demand.least(), base, slot)))
    near = 1000 - min(1000, max(0, (charge - found.floor) * 1000 // (RAMP * capacity // 1000)))
    found.need = near + near * (1000 - near) // 2000
    found.price += (thrift - found.price) * found.need // 1000
