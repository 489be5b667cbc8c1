"""What a forecast was made from, in words."""
# runs on CPython and MicroPython

from plugins.traffic.lags import GROUPS

NAMES = {"recent": "the last hour", "day": "yesterday", "week": "last week"}
NEIGHBOURS = 2


def lag_shares(maps, i):
    """{group: percent} of the attention of sensor i, mean over heads, or None where the model has none."""
    if maps is None:
        return None
    rows = maps["lags"][i]
    return {name: int(sum([float(row[g]) for row in rows]) * 100 / len(rows) + .5) for g, (name, _) in enumerate(GROUPS)}


def neighbour_shares(maps, i, names):
    """[(name, percent)] of the other sensors that sensor i attends to most."""
    if maps is None or "neighbours" not in maps:
        return []
    row = maps["neighbours"][i]
    best = sorted([(-float(weight), names[j]) for j, weight in enumerate(row) if j != i and j < len(names)])[:NEIGHBOURS]
    return [(name, int(-100 * weight + .5)) for weight, name in best]


def looked(maps, i, names):
    """One sentence."""
    shares = lag_shares(maps, i)
    if shares is None:
        return "by rule from last week"
    text = "looked at " + ", ".join(["%s %d %%" % (NAMES[name], shares[name]) for name, _ in GROUPS])
    near, online = neighbour_shares(maps, i, names), learnt(maps, i)
    text += " and at " + ", ".join(["%s %d %%" % pair for pair in near]) if near else ""
    return text + ("; " + online if online else "")


def learnt(maps, i):
    """What was learnt online of sensor i, in words: "" where nothing is heard of it, or nothing stands around the model that learns."""
    if maps is None or "experts" not in maps:
        return ""
    share, minutes = 100 - int(100 * float(maps["experts"][i][0]) + .5), int(maps["moved"][i])
    if not share:
        return ""
    day = ", its day %d min %s" % (abs(minutes), "early" if minutes > 0 else "late") if minutes else ""
    return "%d %% of it from what was learnt online%s" % (share, day)
