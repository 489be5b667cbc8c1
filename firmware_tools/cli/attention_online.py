"""The part of `heed attention show` that is about forecasts: what each sensor's experts are worth."""

from firmware_tools.cli import grid
from gateway.attention.experts import EXPERTS

MOST = 20  # rows that a person is shown; --json has all


def tables(found):
    """What a person is shown of gateway.attention.kept.sensors: those first whose forecasts changed most."""
    if not found:
        return []
    ordered = sorted(found, key=lambda row: row["online"] - row["static"])
    chosen = ordered if len(found) <= MOST else ordered[:MOST // 2] + ordered[-MOST // 2:]
    mean = {key: sum(row[key] * row["judged"] for row in found) / max(1, sum(row["judged"] for row in found)) for key in ("static", "online")}
    table = grid("forecasts: errors of about a week, in counts", ("sensor", "version", "frozen", "shipped", "online", "in use", "listens to", "day"), [
        (row["stream"], row["version"], "yes" if row["frozen"] else "", "%.2f" % row["static"], "%.2f" % row["online"],
         "online" if row["trusted"] else "shipped", heard(row["shares"]), "%+d min" % row["moved_min"] if row["moved_min"] else "")
        for row in chosen])
    return [table, "%d sensors, %d of them online; mean error %.3f as shipped, %.3f as given out%s" % (
        len(found), sum(row["trusted"] for row in found), mean["static"], mean["online"],
        "" if len(found) <= MOST else "; the %d farthest apart are shown, --json has all" % MOST)]


def heard(shares):
    """The two experts that are listened to most."""
    best = sorted(zip(shares, EXPERTS), key=lambda pair: -pair[0])[:2]
    return ", ".join("%s %d %%" % (name, round(100 * share)) for share, name in best)
