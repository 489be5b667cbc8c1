"""What forecasts learnt online, as a person sees it and takes it back, sensor by sensor."""

import json

from gateway.core.errors import ConfigError

ORDER = "INSERT INTO recall VALUES(?, ?) ON CONFLICT DO UPDATE SET version = excluded.version"


def versions(store):
    """[(plugin, version, t_ms, facts)] of all that is kept, oldest first."""
    return [(name, version, t_ms, json.loads(text)) for name, version, t_ms, text in
            store.rows("SELECT name, version, t_ms, text FROM online ORDER BY name, version")]


def streams(store):
    """Names of the sensors whose forecasts learn."""
    return {stream for _, _, _, facts in versions(store) for stream in facts["streams"]}


def sensors(store):
    """One dict for each sensor, of the newest version of each plugin; see OnlineForecasts.shown."""
    newest = {name: (version, t_ms, facts) for name, version, t_ms, facts in versions(store)}
    frozen = {stream for stream, _, held in store.streams() if held}
    return [dict(shown, stream=stream, plugin=name, version=version, frozen=stream in frozen, t_ms=t_ms)
            for name, (version, t_ms, facts) in newest.items() for stream, shown in facts["shown"].items()]


def history(store, stream):
    """Versions of a sensor that are kept, oldest first, in the form of those of a stream that learns from labels."""
    return [{"stream": stream, "version": version, "parent": max(0, version - 1), "t_ms": t_ms, "reason": reason(facts["shown"].get(stream))}
            for _, version, t_ms, facts in versions(store) if stream in facts["streams"]]


def reason(shown):
    """What a version was worth, in words."""
    return "verified error %(static).2f as shipped, %(online).2f online" % shown if shown else "nothing verified yet"


def back(store, stream, version=None):
    """Let the gateway take a sensor back to a version at its next slot: 0 = as shipped, None = the one before. Gives the version.
    Raises ConfigError where it is not kept."""
    kept = [row["version"] for row in history(store, stream)]
    version = max([at for at in kept if at < kept[-1]], default=0) if version is None else version
    if version and version not in kept:
        raise ConfigError("%s has no version %d" % (stream, version), "versions that are kept: %s" % ", ".join(map(str, kept)))
    store.write((ORDER, (stream, version)))
    return version


def refuse(store, stream):
    """Raise ConfigError for a sensor whose forecasts learn: it has no state that could be carried or compared."""
    if stream in streams(store):
        raise ConfigError("what %s learnt online is no state that can be carried" % stream, "heed attention history %s" % stream)
