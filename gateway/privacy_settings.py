"""[privacy] of the settings: checked, and made into the Rules of each plugin."""

import secrets
from datetime import UTC, date, datetime, timedelta

from gateway import secret
from gateway.core.options import check_options, guess
from gateway.privacy import Rules

KEY_FILE = "privacy.key"
PRIVACY = {"options": {
    "pseudonyms": {"default": False, "type": "bool", "help": "whether streams leave under a name that only this gateway can undo"},
    "raw": {"default": [], "type": "list", "help": 'who may have signal: [{ stream = "bed-1", to = "study 12", until = "2026-12-31" }]'},
    "noise": {"default": [], "type": "list",
              "help": 'counts that leave with noise: [{ plugin = "ecg", kind = "minute", fields = ["beats"], epsilon = 1.0 }]'}}}
RAW = {"options": {
    "stream": {"required": True, "type": "str", "help": "name of the [[sensor]]"},
    "to": {"required": True, "type": "str", "help": "who gets it; stands in each record"},
    "until": {"required": True, "type": "str", "help": 'last day (UTC), for example "2026-12-31"'}}}
NOISE = {"options": {
    "plugin": {"required": True, "type": "str", "help": "name of the [[plugin]]"},
    "kind": {"required": True, "type": "str", "help": "kind of summary, for example minute"},
    "fields": {"required": True, "type": "list", "help": 'fields of data that are counts; "classes.V" is a part of one'},
    "plain": {"default": [], "type": "list", "help": "fields that leave without noise; all others of this kind stay"},
    "epsilon": {"required": True, "type": "float", "min": 0.001, "max": 100,
                "help": "of each field in each record; 1 is usual, less is more noise"}}}


def check(given, config, fault):
    """Values of [privacy]; fault(place, problem, remedy) is called for what is wrong."""
    if not isinstance(given, dict):
        fault("[privacy]", "is no table", "write [privacy]")
        given = {}
    values = checked("[privacy]", PRIVACY, given, fault)
    for name, specs, judge in (("raw", RAW, check_raw), ("noise", NOISE, check_noise)):
        items = values[name] if isinstance(values[name], (list, tuple)) else []
        values[name] = []
        for number, item in enumerate(items, 1):
            where = "[privacy] %s #%d" % (name, number)
            if not isinstance(item, dict):
                fault(where, "is %r" % (item,), "write { %s }" % " = ..., ".join([*specs["options"], ""])[:-2])
                continue
            item = {key: value.isoformat() if isinstance(value, date) else value for key, value in item.items()}
            found = checked(where, specs, item, fault)
            if all(found[key] is not None for key in found):
                judge(where, found, config, fault)
                values[name].append(found)
    return values


def checked(where, specs, given, fault):
    """Values of a table; its faults are noted."""
    values, faults = check_options(specs, given)
    for name, problem, remedy in faults:
        fault(where, '"%s" %s' % (name, problem), remedy)
        values[name] = specs["options"].get(name, {}).get("default")
    return values


def check_raw(where, values, config, fault):
    """The stream is there and the day is one."""
    names = [sensor.name for sensor in config.sensors]
    if values["stream"] not in names:
        fault(where, 'no [[sensor]] "%s"' % values["stream"], guess(values["stream"], names))
    try:
        date.fromisoformat(values["until"])
    except ValueError:
        fault(where, '"until" is %r' % values["until"], "write the last day as 2026-12-31")
    if not values["to"].strip():
        fault(where, '"to" is empty', "say who gets the signal")


def check_noise(where, values, config, fault):
    """The plugin is there and states the fields."""
    plugins = {plugin.name: plugin for plugin in config.plugins}
    values.update(fields=[*map(str, values["fields"])], plain=[*map(str, values["plain"])])
    if values["plugin"] not in plugins:
        return fault(where, 'no [[plugin]] "%s"' % values["plugin"], guess(values["plugin"], plugins))
    leaves = plugins[values["plugin"]].found.manifest.get("leaves")
    if leaves is None:
        return None
    if values["kind"] not in leaves:
        return fault(where, 'the plugin sends no "%s"' % values["kind"], guess(values["kind"], leaves))
    for field in [*values["fields"], *values["plain"]]:
        if field.partition(".")[0] not in leaves[values["kind"]]:
            fault(where, 'a "%s" has no field "%s"' % (values["kind"], field), guess(field, leaves[values["kind"]]))
    for field in values["fields"]:
        if field.partition(".")[0] in values["plain"]:
            fault(where, '"%s" is to leave with noise and without' % field, "take it out of one of both")


def key_of(folder):
    """The key of the pseudonyms of a data folder, made once. Raises HeedError."""
    return secret.kept(folder / KEY_FILE, lambda: secrets.token_bytes(32))


def rules_of(config, plugin, key):
    """Rules of one plugin (a PartConfig). key: see key_of, or None."""
    values = config.privacy
    permits = {item["stream"]: (item["to"], item["until"], end_ms(item["until"])) for item in values["raw"]}
    noise = {item["kind"]: (item["fields"], repr(item["epsilon"]), item["plain"])
             for item in values["noise"] if item["plugin"] == plugin.name}
    return Rules(plugin.found.manifest.get("leaves"), permits, noise, key, [sensor.name for sensor in config.sensors])


def end_ms(day):
    """The end of a day (UTC), in ms."""
    return int((datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + timedelta(days=1)).timestamp() * 1000)
