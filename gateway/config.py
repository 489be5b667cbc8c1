"""Settings: one TOML file, checked in one pass that reports every fault with its place and its remedy."""

import re
import tomllib
from pathlib import Path

from gateway.core.errors import ConfigError
from gateway.core.options import check_options, guess
from gateway.core.pace import span
from gateway.discover import discover
from gateway.energy import settings as energy

MODES, POLICIES = ("inline", "thread", "process"), ("reject", "drop_oldest")
CLASSES = {"alarm": ("4MB", "reject"), "event": ("16MB", "drop_oldest"), "digest": ("64MB", "drop_oldest")}
SIZES = {"kB": 1000, "MB": 1000000, "GB": 1000000000}
GATEWAY = {"options": {
    "name": {"default": "heed", "type": "str", "help": "name of this gateway upstream"},
    "data": {"default": "heed-data", "type": "path", "help": "folder for the outbox, status and files of plugins"},
    "plugins": {"default": "", "type": "path", "help": "folder with plugins of your own"},
    "log": {"default": "info", "type": "str", "choices": ("debug", "info", "warning", "error"), "help": "log level"}}}
OUTBOX = {"options": {
    "commit_ms": {"default": 20, "type": "int", "min": 0, "max": 10000, "help": "how long a commit waits for company"},
    "commit_records": {"default": 500, "type": "int", "min": 1, "max": 10000, "help": "records that are company enough"}}}
CLASS = {"options": {
    "max_bytes": {"default": "16MB", "type": "str", "help": "limit on disk, for example 64MB"},
    "policy": {"default": "drop_oldest", "type": "str", "choices": POLICIES, "help": "what happens at the limit"}}}
COMMON = {"name": {"required": True, "type": "str", "help": "a name of its own"},
          "kind": {"required": True, "type": "str", "help": "which one: see `heed plugin list`"},
          "isolation": {"default": "inline", "type": "str", "choices": MODES, "help": "where it runs"},
          "options": {"default": {}, "type": "dict", "help": "see `heed plugin show`"}}
TABLES = {
    "sensor": dict(COMMON, feeds={"required": True, "type": "str", "help": "name of the [[plugin]] it feeds"}),
    "plugin": dict(COMMON, model={"default": "baseline", "type": "str", "help": "model package, or baseline"}),
    "uplink": dict(COMMON, records_per_s={"default": 0, "type": "int", "min": 0, "max": 1000000, "help": "most records a second, 0 = any"},
                   bytes_per_day={"default": "", "type": "str", "help": "most bytes a day (UTC), for example 5MB; alarms pass"},
                   quiet={"default": "", "type": "str", "help": 'hours (UTC) in which only alarms pass, for example "22:00-06:00"'})}
KNOWN = ("gateway", "outbox", "energy", *TABLES)


class Fault:
    """place: file and table; problem: what is wrong there; remedy: what to do."""

    def __init__(self, place, problem, remedy):
        self.place = place
        self.problem = problem
        self.remedy = remedy

    def __str__(self):
        return "%s: %s: %s" % (self.place, self.problem, self.remedy)


class PartConfig:
    """One [[sensor]], [[plugin]] or [[uplink]] with its options filled in; found: see gateway.discover; pace: see
    gateway.core.pace."""

    def __init__(self, table, values, found):
        self.table = table
        self.name = values["name"]
        self.isolation = values["isolation"]
        self.options = values["options"]
        self.feeds = values.get("feeds")
        self.model = values.get("model")
        self.pace = values.get("pace")
        self.found = found


class Config:
    """gateway, outbox: dicts; limits: {class: (bytes, policy)}; sensors, plugins, uplinks: PartConfigs; energy: EnergyConfig or None."""

    def __init__(self):
        self.gateway, self.outbox, self.limits = {}, {}, {}
        self.sensors, self.plugins, self.uplinks, self.energy = [], [], [], None


def size(text):
    """Bytes of "64MB". Raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(kB|MB|GB)", text)
    if not found:
        raise ValueError(text)
    return int(float(found[1]) * SIZES[found[2]])


class Checker:
    """Goes through the settings once and collects Config and faults. models: names of installed packages."""

    def __init__(self, source, models):
        self.source = source
        self.models = models
        self.faults = []
        self.config = Config()

    def fault(self, where, problem, remedy):
        """Note a fault."""
        self.faults.append(Fault("%s: %s" % (self.source, where), problem, remedy))

    def options(self, where, specs, given):
        """Values of a table; its faults are noted."""
        values, faults = check_options(specs, given)
        for name, problem, remedy in faults:
            self.fault(where, '"%s" %s' % (name, problem), remedy)
        return values

    def check(self, settings):
        """Check all tables."""
        for name in settings:
            if name not in KNOWN:
                self.fault("[%s]" % name, "unknown table", guess(name, KNOWN))
        config = self.config
        config.gateway = self.options("[gateway]", GATEWAY, settings.get("gateway", {}))
        self.outbox(dict(settings.get("outbox", {})))
        self.parts, broken = discover(config.gateway["plugins"] or None)
        for error in broken:
            self.faults.append(Fault(self.source, error.message, error.hint))
        for table, into in (("sensor", config.sensors), ("plugin", config.plugins), ("uplink", config.uplinks)):
            self.tables(table, settings.get(table, []), into)
        self.links()
        if "energy" in settings:
            config.energy = energy.check(settings["energy"], [plugin.name for plugin in config.plugins], self.fault)

    def outbox(self, given):
        """[outbox] and its classes."""
        for cls, (limit, policy) in CLASSES.items():
            values = self.options("[outbox.%s]" % cls, CLASS, dict({"max_bytes": limit, "policy": policy}, **given.pop(cls, {})))
            try:
                self.config.limits[cls] = size(values["max_bytes"]), values["policy"]
            except (ValueError, TypeError):
                self.fault("[outbox.%s]" % cls, "max_bytes is %r" % values["max_bytes"], "write a size such as 64MB")
        self.config.outbox = self.options("[outbox]", OUTBOX, given)

    def tables(self, table, given, into):
        """All [[table]]s of one kind."""
        if not isinstance(given, list):
            return self.fault("[%s]" % table, "is one table", "write [[%s]]: there may be several" % table)
        for number, values in enumerate(given, 1):
            where = "[[%s]] #%d %r" % (table, number, values.get("name", "?"))
            count = len(self.faults)
            values = self.options(where, {"options": TABLES[table]}, values)
            found = self.parts.get((table, values["kind"]))
            if found:
                values["options"] = self.options(where + " options", found.manifest, values["options"])
            elif values["kind"]:
                self.fault(where, 'no %s of kind "%s"' % (table, values["kind"]),
                           guess(values["kind"], [name for kind, name in self.parts if kind == table]))
            if table == "uplink":
                values["pace"] = self.pace(where, values)
            if values["name"] in [part.name for part in into]:
                self.fault(where, "a second one with this name", "names are unique")
            if len(self.faults) == count:
                into.append(PartConfig(table, values, found))

    def pace(self, where, values):
        """(records a second, bytes a day, quiet hours) of an uplink."""
        try:
            span(values["quiet"])
            return values["records_per_s"], size(values["bytes_per_day"]) if values["bytes_per_day"] else 0, values["quiet"]
        except ConfigError as error:
            self.fault(where, error.message, error.hint)
        except ValueError:
            self.fault(where, "bytes_per_day is %r" % values["bytes_per_day"], "write a size such as 5MB")

    def links(self):
        """What names something else must name something that is there."""
        plugins = [plugin.name for plugin in self.config.plugins]
        for sensor in self.config.sensors:
            if sensor.feeds not in plugins and not self.faults:
                self.fault("[[sensor]] %r" % sensor.name, 'feeds "%s", which is no [[plugin]]' % sensor.feeds,
                           guess(sensor.feeds, plugins))
        for plugin in self.config.plugins:
            if plugin.model != "baseline" and plugin.model not in self.models and not Path(plugin.model).is_dir():
                self.fault("[[plugin]] %r" % plugin.name, 'no model package "%s"' % plugin.model,
                           guess(plugin.model, [*self.models, "baseline"]))


def check(path, models, over=None):
    """(Config, faults) of a settings file; over: values of [energy] that a command line puts in place of the file's."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None, [Fault(str(path), "cannot be read: %s" % getattr(error, "strerror", error), "`heed init` writes one")]
    return check_text(text, str(path), models, over)


def check_text(text, source, models, over=None):
    """(Config, faults) of settings as text."""
    try:
        settings = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [Fault(source, "is no TOML: %s" % error, "see https://toml.io for the form")]
    settings.update({"energy": dict(settings.get("energy", {}), **over)} if over else {})
    checker = Checker(source, models)
    checker.check(settings)
    return checker.config, checker.faults


def load(path, models, over=None):
    """Config of a settings file, or ConfigError with every fault."""
    config, faults = check(path, models, over)
    if faults:
        raise ConfigError("\n".join(map(str, faults)), "`heed check %s` shows this again" % path)
    return config
