"""The [energy] table of the settings, checked with the arithmetic shown."""

from gateway.core.errors import ConfigError
from gateway.core.options import check_options
from gateway.energy import device_settings, gauges, tables

METERS = ("auto", "model", "hwmon", "ina219", "pmic", "rapl")
ENERGY = {"options": {
    "board": {"default": "zero2w", "type": "str", "help": "board by name (`heed energy probe` lists them), or a TOML file"},
    "meter": {"default": "auto", "type": "str", "choices": METERS, "help": "what tells power; auto = the best that is found"},
    "battery_wh": {"default": 0.0, "type": "float", "min": 0, "help": "size of the battery, 0 = mains"},
    "gauge": {"default": "", "type": "folder or table", "help": "folder with a file `capacity` in percent, or { voltage = FILE, curve = "
              "NAME }; empty = the one that the kernel knows"},
    "start": {"default": 0.6, "type": "float", "min": 0, "max": 1, "help": "share of charge at the start where no gauge tells it"},
    "worst": {"default": 1.6, "type": "float", "min": 1, "max": 10, "help": "how many times slower than its table a job may become"},
    "learn_energy": {"default": True, "type": "bool", "help": "whether what a meter has taught takes the tables' place"},
    "retry_s": {"default": 60, "type": "int", "min": 1, "help": "how long a lost accelerator is left alone"},
    "summary_s": {"default": 3600, "type": "int", "min": 1, "help": "how often what was spent goes upstream"},
    "class": {"default": [], "type": "list", "help": "[[energy.class]]: see docs/energy.md"},
    "device": {"default": [], "type": "list", "help": "[[energy.device]]: see docs/energy.md"}}}
MARGIN = 1.25  # as the policy's


class EnergyConfig:
    """values: of the table; board: facts; classes: [JobClass]; devices: [facts], see gateway.energy.device_settings."""

    def __init__(self, values, board, classes, devices):
        self.values, self.board, self.classes, self.devices = values, board, classes, devices


def check(given, plugins, fault):
    """EnergyConfig of an [energy] table, or None where it has faults; fault(where, problem, remedy) notes each.
    plugins: names of the [[plugin]]s."""
    values, wrong = check_options(ENERGY, given)
    for name, problem, remedy in wrong:
        fault("[energy]", '"%s" %s' % (name, problem), remedy)
    if wrong:
        return None
    try:
        board = tables.board(values["board"])
        classes = tables.classes(values, board, "[energy]") if values["class"] else []
        values["gauge"] = gauge(values["gauge"])
    except ConfigError as error:
        fault("[energy]", error.message, error.hint)
        return None
    for c in classes:
        if c.name not in plugins:
            fault("[[energy.class]] %s" % c.name, "no [[plugin]] of this name", "known: " + (", ".join(plugins) or "none"))
    for where, problem, remedy in impossible(classes, values["worst"], board):
        fault(where, problem, remedy)
    return EnergyConfig(values, board, classes, device_settings.check(values["device"], classes, fault))


def gauge(given):
    """The gauge of the settings with its defaults: a folder, or a table of gauges.VOLTAGE. Raises ConfigError."""
    if isinstance(given, str):
        return given
    values = tables.checked("[energy] gauge", gauges.VOLTAGE, given if isinstance(given, dict) else {"voltage": given})
    gauges.curve(values["curve"])
    return values


def impossible(classes, worst, board):
    """[(where, problem, remedy)] of what no schedule can do on a board: one executor that is not interrupted."""
    found = []
    for c in classes:
        if c.critical:
            found += [("[[energy.class]] %s" % c.name,) + text for text in critical_faults(c, classes, worst, board)]
    load = sum([c.variants[0].time_us * worst / c.period_us for c in classes if c.critical])
    if load > 1:
        share = "critical jobs at their smallest need %.0f %% of the executor on %s" % (100 * load, board["name"])
        found.append(("[[energy.class]]", share, "smaller variants, longer periods, or another board"))
    return found


def critical_faults(c, classes, worst, board):
    """(problem, remedy) of one critical class: its own smallest variant, and what it would have to wait for."""
    ms = c.variants[0].time_us / 1000
    if ms * worst * MARGIN > c.deadline_us / 1000:
        yield ("its smallest variant takes %.4g ms on %s, at worst %.4g x %.4g x %.4g = %.4g ms, more than its deadline of %.4g ms" % (
            ms, board["name"], ms, worst, MARGIN, ms * worst * MARGIN, c.deadline_us / 1000), "a smaller variant, or a longer deadline")
    # just after a critical job has ended, the next is due `period` later and must end `deadline` after that
    room = (c.period_us + c.deadline_us - c.variants[0].time_us * worst * (1 + MARGIN)) / 1000
    for other in classes:
        first = other.variants[0].time_us / 1000
        if other is not c and first * worst * MARGIN > room:
            yield ("%s takes %.4g ms at its smallest, at worst %.4g x %.4g x %.4g = %.4g ms, and cannot be interrupted; between two jobs "
                   "of %s there are %.4g ms" % (other.name, first, first, worst, MARGIN, first * worst * MARGIN, c.name, room),
                   "a smaller variant of %s, or another board: it could never run" % other.name)


def warnings(classes, worst):
    """What will never be chosen, in words: variants that do not fit between critical jobs."""
    out = []
    for c in [c for c in classes if c.critical]:
        room = (c.period_us + c.deadline_us - c.variants[0].time_us * worst * (1 + MARGIN)) / 1000
        for other in classes:
            for v in other.variants[1:]:
                if other is not c and v.time_us / 1000 * worst * MARGIN > room:
                    out.append("%s/%s never runs: at worst %.4g ms, %s leaves %.4g" % (
                        other.name, v.name, v.time_us / 1000 * worst * MARGIN, c.name, room))
    return out
