"""What the charge that is left would still earn: spread over three mean days, beside what they bring. Concave, in parts."""
# runs on CPython and MicroPython

from gateway.energy.load import Demand

DAYS = 3


def frontier(classes, spare):
    """[(mJ, points per J)] of charge, dearest first; spare: mJ that a mean day leaves after what is always drawn."""
    demand, parts = Demand(classes), []
    points = [sum([sum([c.hour(price, hour)[1] for c in classes]) for hour in range(24)]) for price in demand.prices]
    taken, value = demand.days[-1], points[-1]
    if spare < taken:  # without charge not even the least would run
        parts.append((DAYS * (taken - spare), demand.prices[-1]))
    for asked, worth in zip(reversed(demand.days[:-1]), reversed(points[:-1])):
        if asked > taken:
            width = asked - max(taken, min(spare, asked))
            if width > 0:
                parts.append((DAYS * width, (worth - value) * 1000 // (asked - taken)))
            taken, value = asked, worth
    return concave(parts)


def concave(parts):
    """The same charge, dearest first: device starts make steps that are no longer in order."""
    return sorted(parts, key=lambda part: -part[1])


def salvage(parts, charge):
    """Points that `charge` mJ would earn."""
    worth = 0
    for width, slope in parts:
        used = min(width, charge)
        worth += used * slope // 1000
        charge -= used
    return worth
