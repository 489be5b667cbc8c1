"""Loads, boards and sites from TOML files."""

import tomllib
from pathlib import Path

from gateway.core.errors import ConfigError
from gateway.core.options import check_options, guess
from gateway.energy.load import Device, JobClass, Variant, together

BOARDS = Path(__file__).with_name("boards.toml")
LOAD = Path(__file__).with_name("load.toml")  # an assumed load of three classes: benchmark, demo, example
NUMBER = {"type": "float", "min": 0}
BOARD = {"options": {
    "idle_mw": dict(NUMBER, required=True, help="draw when nothing runs"),
    "busy_mw": dict(NUMBER, required=True, help="all cores, above idle"),
    "slower": dict(NUMBER, default=1.0, help="time of a job over that on a Zero 2 W"), "cores": dict(NUMBER, default=4, help="cores"),
    "source": {"type": "str", "default": "", "help": "where the figures are from"}}}
CLASS = {"options": {
    "name": {"type": "str", "required": True, "help": "name of the class, that of its [[plugin]] on a gateway"},
    "weight": dict(NUMBER, default=1.0, help="worth of a job done at its best"),
    "critical": {"type": "bool", "default": False, "help": "never refused, never late"},
    "period_ms": dict(NUMBER, min=1, default=1000, help="shortest time between two jobs"),
    "deadline_ms": dict(NUMBER, default=0, help="from a job's arrival, 0 = its period"),
    "per_hour": {"default": 0, "type": "a number or a list", "help": "jobs in an hour, or a list of 24; 0 = one each period"},
    "bursts": {"type": "bool", "default": False, "help": "whether jobs come in bursts of frames (simulation only)"},
    "device": {"type": "name or list", "default": "", "help": "name of the [[device]] that all of its jobs need, or several"},
    "variant": {"type": "list", "required": True, "help": "a list of [[class.variant]]"}}}
VARIANT = {"options": {
    "name": {"type": "str", "required": True, "help": "as in the model package"},
    "time_ms": dict(NUMBER, required=True, help="time of one job on a Zero 2 W, cool and alone"),
    "energy_mj": dict(NUMBER, default=0, help="energy of one job above idle, 0 = time at the board's busy draw"),
    "utility": dict(NUMBER, required=True, max=1, help="worth over that of the best"),
    "device": {"type": "str", "default": "", "help": "accelerator that it runs on"}}}
DEVICE = {"options": {
    "name": {"type": "str", "required": True, "help": "name"}, "power_mw": dict(NUMBER, required=True, help="draw while it is on"),
    "start_mj": dict(NUMBER, default=0, help="energy of a start"),
    "switch": {"type": "table", "default": {}, "help": "how a gateway switches it (kind = ...); none = it is always on"},
    "source": {"type": "str", "default": "", "help": "where from"}}}


def read(path):
    """A TOML file as a dict, or ConfigError."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("%s cannot be read: %s" % (path, error.strerror), "give the path of a TOML file")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("%s is no TOML: %s" % (path, error), "see docs/energy.md for the form")


def checked(where, specs, given):
    """Values of a table, or ConfigError with every fault."""
    values, faults = check_options(specs, given)
    if faults:
        raise ConfigError("; ".join(['%s: "%s" %s: %s' % ((where,) + fault) for fault in faults]), "see docs/energy.md for the form")
    return values


def boards():
    """{name: facts} of the boards that Heed has figures of; "devices" aside."""
    return {name: facts for name, facts in read(BOARDS).items() if name != "devices"}


def board(name):
    """Facts of a board, by name or from a TOML file."""
    if name.endswith(".toml"):
        return dict(checked(name, BOARD, read(name)), name=Path(name).stem)
    known = boards()
    if name not in known:
        raise ConfigError('no board "%s"' % name, guess(name, known) + " or a TOML file")
    return dict(checked(name, BOARD, known[name]), name=name)


def classes(settings, facts, where):
    """[JobClass] of the [[class]] tables on a board, smallest variant first."""
    devices = {d["name"]: Device(d["name"], int(d["power_mw"]), int(d["start_mj"]))
               for d in (checked(where + ": [[device]]", DEVICE, given) for given in settings.get("device", []))}
    if not settings.get("class"):
        raise ConfigError("%s has no [[class]]" % where, "see docs/energy.md for the form")
    made = [job_class(where, given, facts, devices) for given in settings["class"]]
    names = [c.name for c in made]
    if len(set(names)) < len(names):
        raise ConfigError("%s: two [[class]] have one name (%s)" % (where, ", ".join(names)), "give each a name of its own")
    return made


def job_class(where, given, facts, devices):
    """One JobClass."""
    values = checked("%s: [[class]] %s" % (where, given.get("name", "?")), CLASS, given)
    place = "%s: class %s" % (where, values["name"])
    needed = values["device"] if isinstance(values["device"], list) else [values["device"]] if values["device"] else []
    for name in needed:
        if name not in devices:
            raise ConfigError('%s: no [[device]] "%s"' % (place, name), guess(str(name), devices))
    made = sorted([variant(place, v, facts) for v in values["variant"]], key=lambda v: v.energy_uj)
    if not made:
        raise ConfigError("%s has no variant" % place, "one at least")
    period = values["period_ms"]
    hourly = hours(place, values["per_hour"] or 3600000 / period)
    return JobClass(values["name"], int(1000 * values["weight"]), int(1000 * (values["deadline_ms"] or period)), int(1000 * period),
                    values["critical"], made, hourly, together([devices[name] for name in needed]))


def hours(place, given):
    """Jobs in each of the 24 hours, of one number or of 24."""
    each = given if isinstance(given, list) else [given] * 24
    if len(each) != 24:
        raise ConfigError("%s: per_hour has %d numbers" % (place, len(each)), "one, or 24")
    if not all(isinstance(n, (int, float)) and n >= 0 for n in each):
        raise ConfigError("%s: per_hour is %r" % (place, given), "numbers from 0 up")
    return [int(n) for n in each]


def variant(place, given, facts):
    """One Variant, its time and energy those of the board."""
    values = checked(place, VARIANT, given)
    time_ms = values["time_ms"] * facts["slower"]
    energy_mj = values["energy_mj"] or time_ms * facts["busy_mw"] / 1000
    return Variant(values["name"], max(1, int(1000 * time_ms)), max(1, int(1000 * energy_mj)), int(1000 * values["utility"]),
                   values["device"])
