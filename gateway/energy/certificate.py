"""How close to the best: an upper bound on what any scheduler could have made of a day, from the gateway's own log.

Weak duality. Let each slot t have a price p(t) >= 0 for a joule. Then no schedule of these jobs, on this battery, is worth more than

    sum over t of [ sum over jobs of max over variants of (value - p(t) energy)  +  p(t) (harvest - always drawn) ]
    + p(0) charge at the start  +  capacity sum over t of max(0, p(t+1) - p(t))
    + max over charges at the end of (what it would still earn - p(T) charge)

whatever the prices are, with each device on or off for a whole slot, as the policy switches it. The least of it over all paths on
a grid of prices is found exactly by dynamic programming from the end: with the running minimum from both sides a step costs as
much as the grid is long. The executor's time is left out, which can only make the bound larger.
"""
# runs on CPython and MicroPython


class Slot:
    """One slot of the log. jobs: {class name: number that came}; harvest, base: mJ; ms: how long it was."""

    def __init__(self, jobs, harvest, base, ms):
        self.jobs, self.harvest, self.base, self.ms = jobs, harvest, base, ms


def surplus(c, jobs, price, ms):
    """Points that a class gains at most in a slot at a price, after paying for its energy and its device."""
    best = c.best(price)
    if best < 0:
        return 0
    variant = c.variants[best]
    gain = jobs * (variant.points - price * variant.energy_uj // 1000000)
    if c.device:
        gain -= price * c.device.power_mw * ms // 1000000
    return gain if c.critical else max(0, gain)


def bound(classes, prices, log, charge, capacity, parts):
    """Points, salvage of the end included, that no schedule exceeds. prices: ascending, from 0; log: Slots in order;
    parts: see gateway.energy.salvage."""
    ahead = [at_end(parts, price, capacity) for price in prices]
    for number, slot in enumerate(reversed(log)):
        if number:
            ahead = moved(ahead, prices, capacity)
        for i, price in enumerate(prices):
            gain = price * (slot.harvest - slot.base) // 1000 + 1
            for c in classes:
                gain += surplus(c, slot.jobs.get(c.name, 0), price, slot.ms)
            ahead[i] += gain
    return min([value + price * charge // 1000 + 1 for value, price in zip(ahead, prices)])


def at_end(parts, price, capacity):
    """The most that keeping charge to the end is worth over selling it at a price."""
    worth, left = 0, capacity
    for width, slope in parts:
        if slope > price:
            worth += min(width, left) * (slope - price) // 1000 + 1
            left -= min(width, left)
    return worth


def moved(ahead, prices, capacity):
    """The least of what lies ahead when the price may fall for nothing, and rise at `capacity` for each point per joule."""
    n, out = len(prices), list(ahead)
    for i in range(1, n):
        out[i] = min(out[i], out[i - 1])
    best = None
    for i in range(n - 1, -1, -1):
        whole = ahead[i] + capacity * prices[i] // 1000
        best = whole if best is None else min(best, whole)
        out[i] = min(out[i], best - capacity * prices[i] // 1000)
    return out


def reached(points, parts_value, most):
    """Per cent of the bound that was reached at least; 100 at most."""
    return min(100.0, 100.0 * (points + parts_value) / most) if most > 0 else 100.0
