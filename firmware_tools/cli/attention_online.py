"""The part of `heed attention` that is about forecasts: what each sensor's experts are worth, and the way back."""

from firmware_tools.cli import grid
from gateway.attention.experts import EXPERTS
from gateway.attention.keeper import order, versions
from gateway.core.errors import ConfigError

MOST = 20  # rows that a person is shown; --json has all


def known(store, stream):
    """Whether a stream is a sensor whose forecasts learn."""
    return any(stream in facts["streams"] for _, _, _, facts in versions(store))


def rows(store):
    """One dict for each sensor, of the newest version of each plugin."""
    newest = {name: (version, t_ms, facts) for name, version, t_ms, facts in versions(store)}
    frozen = {stream for stream, _, held in store.streams() if held}
    return [dict(shown, stream=stream, plugin=name, version=version, frozen=stream in frozen, t_ms=t_ms)
            for name, (version, t_ms, facts) in newest.items() for stream, shown in facts["shown"].items()]


def tables(found):
    """What a person is shown of rows(): those first whose forecasts changed most."""
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


def history(store, stream):
    """Versions of a sensor that are kept, as `heed attention history` shows them."""
    return [{"stream": stream, "version": version, "parent": max(0, version - 1), "t_ms": t_ms, "reason": reason(facts["shown"].get(stream))}
            for _, version, t_ms, facts in versions(store) if stream in facts["streams"]]


def reason(shown):
    """What a version was worth, in words."""
    return "verified error %(static).2f as shipped, %(online).2f online" % shown if shown else "nothing verified yet"


def back(store, stream, version):
    """Order a sensor back to a version; None: the one before. Gives the version."""
    kept = [row["version"] for row in history(store, stream)]
    version = max([at for at in kept if at < kept[-1]], default=0) if version is None else version
    order(store, stream, version)
    return version


def refuse(store, stream):
    """Raise ConfigError for a sensor whose forecasts learn: they have no state that could be carried or compared."""
    if known(store, stream):
        raise ConfigError("what %s learnt online is no state that can be carried" % stream, "heed attention history %s" % stream)
