"""Settings: one TOML file, checked in one pass that reports every fault with its place and its remedy."""

import tomllib
from pathlib import Path

from gateway import limits, privacy_settings
from gateway.attention.settings import ATTENTION, way_down
from gateway.core.errors import ConfigError
from gateway.core.options import check_options, guess
from gateway.discover import discover
from gateway.energy import settings as energy
from gateway.web import settings as web

MODES = ("inline", "thread", "process")
GATEWAY = {"options": {
    "name": {"default": "heed", "type": "str", "help": "name of this gateway upstream"},
    "data": {"default": "heed-data", "type": "path", "help": "folder for the outbox, status and files of plugins"},
    "plugins": {"default": "", "type": "path", "help": "folder with plugins of your own"},
    "metrics_port": {"default": 0, "type": "int", "min": 0, "max": 65535, "help": "port of the loopback for Prometheus, 0 = none"},
    "log": {"default": "info", "type": "str", "choices": ("debug", "info", "warning", "error"), "help": "log level"}}}
COMMON = {"name": {"required": True, "type": "str", "help": "a name of its own"},
          "kind": {"required": True, "type": "str", "help": "which one: see `heed plugin list`"},
          "isolation": {"default": "inline", "type": "str", "choices": MODES, "help": "where it runs"},
          "options": {"default": {}, "type": "dict", "help": "see `heed plugin show`"}}
TABLES = {
    "sensor": dict(COMMON, feeds={"required": True, "type": "str", "help": "name of the [[plugin]] it feeds"}),
    "plugin": dict(COMMON, model={"default": "baseline", "type": "str", "help": "model package, or baseline"}),
    "uplink": dict(COMMON, **limits.UPLINK)}
KNOWN = ("gateway", "outbox", "attention", "privacy", "energy", "web", *TABLES)


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
    gateway.core.pace; far: whether it needs a network."""

    def __init__(self, table, values, found):
        self.table = table
        self.name = values["name"]
        self.isolation = values["isolation"]
        self.options = values["options"]
        self.feeds = values.get("feeds")
        self.model = values.get("model")
        self.pace = values.get("pace")
        self.found = found
        self.far = "network" in found.manifest.get("permissions", ())


class Config:
    """gateway, outbox, attention: dicts of settings; limits: {class: (bytes, policy)}; privacy: see
    gateway.privacy_settings; sensors, plugins, uplinks: PartConfigs; energy: EnergyConfig or None; web: see gateway.web.settings, or None."""

    def __init__(self):
        self.gateway, self.outbox, self.attention, self.limits, self.privacy = {}, {}, {}, {}, {}
        self.sensors, self.plugins, self.uplinks, self.energy, self.web = [], [], [], None, None


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
        config.attention = self.options("[attention]", ATTENTION, settings.get("attention", {}))
        self.outbox(dict(settings.get("outbox", {})))
        self.parts, broken = discover(config.gateway["plugins"] or None)
        for error in broken:
            self.faults.append(Fault(self.source, error.message, error.hint))
        for table, into in (("sensor", config.sensors), ("plugin", config.plugins), ("uplink", config.uplinks)):
            self.tables(table, settings.get(table, []), into)
        self.links()
        way_down(config.attention, config.uplinks, self.fault)
        config.privacy = privacy_settings.check(settings.get("privacy", {}), config, self.fault)
        if "energy" in settings:
            config.energy = energy.check(settings["energy"], [plugin.name for plugin in config.plugins], self.fault)
        if "web" in settings:
            config.web = web.check(settings["web"], self.fault)

    def outbox(self, given):
        """[outbox] and its classes."""
        self.config.outbox["ages"] = {}
        for cls, defaults in limits.CLASSES.items():
            where = "[outbox.%s]" % cls
            values = self.options(where, limits.CLASS, dict(defaults, **given.pop(cls, {})))
            try:
                self.config.limits[cls], age = limits.of_class(values)
                self.config.outbox["ages"].update({cls: age} if age else {})
            except ConfigError as error:
                self.fault(where, error.message, error.hint)
        self.config.outbox.update(self.options("[outbox]", limits.OUTBOX, given))

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
                self.pace(where, values)
            if values["name"] in [part.name for part in into]:
                self.fault(where, "a second one with this name", "names are unique")
            if len(self.faults) == count:
                into.append(PartConfig(table, values, found))

    def pace(self, where, values):
        """How fast an uplink may talk."""
        try:
            values["pace"] = limits.of_uplink(values)
        except ConfigError as error:
            self.fault(where, error.message, error.hint)

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
