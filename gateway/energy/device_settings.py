"""[[energy.device]] of the settings, checked: what draws power while it is on, and how it is switched."""

from gateway.core.options import check_options, guess
from gateway.energy import tables
from gateway.energy.load import Device, together

CLASS_KINDS = ("camera", "uhubctl")  # switched as the jobs of classes are worth it; the others as the ladder says
SWITCHES = {
    "camera": {},
    "uhubctl": {"hub": {"required": True, "type": "str", "help": "location of the hub, as uhubctl lists it, such as 1-1"},
                "port": {"required": True, "type": "int", "min": 1, "max": 255, "help": "port of the hub"}},
    "rfkill": {"radio": {"default": "wifi", "type": "str", "choices": ("wifi", "bluetooth", "wwan", "all"), "help": "which radio"},
               "every_min": {"default": 15, "type": "int", "min": 1, "max": 1440, "help": "minutes from flush to flush"},
               "always": {"default": False, "type": "bool", "help": "whether to flush so also while energy is not short"},
               "open_s": {"default": 120, "type": "int", "min": 5, "max": 3600, "help": "longest flush"}},
    "cpufreq": {"max_khz": {"required": True, "type": "int", "min": 1, "help": "clock while energy is short or it is hot"}}}


def check(given, classes, fault):
    """[facts] of the devices of a gateway, each with "switch" and "kind", "" where it is always on; such a one is no matter of the
    classes'. fault(where, problem, remedy) notes what is wrong."""
    found = []
    for device in given:
        where = "[[energy.device]] %s" % device.get("name", "?")
        values, faults = check_options(tables.DEVICE, device)
        switch = values["switch"] if isinstance(values["switch"], dict) else {"kind": ""}
        kind = switch.get("kind", "") if switch else ""
        if kind not in SWITCHES and values["switch"]:
            faults.append(("switch", "has the kind %r" % kind, guess(kind, SWITCHES)))
        options, wrong = check_options({"options": SWITCHES.get(kind, {})}, {key: switch[key] for key in switch if key != "kind"})
        for name, problem, remedy in faults + wrong:
            fault(where, '"%s" %s' % (name, problem), remedy)
        if not faults + wrong:
            found.append(dict(values, switch=options, kind=kind))
            unfit(where, found[-1], [c.name for c in classes if c.device and values["name"] in c.device.names], fault)
    switched = {facts["name"]: Device(facts["name"], int(facts["power_mw"]), int(facts["start_mj"])) for facts in found if facts["kind"]}
    for c in classes:
        c.device = together([switched[name] for name in c.device.names if name in switched]) if c.device else None
    return found


def unfit(where, facts, users, fault):
    """Note a switch that nothing would ever turn, or that never pays."""
    if facts["kind"] in CLASS_KINDS and not users:
        fault(where, "no [[energy.class]] names it, so nothing would switch it", 'device = "%s" in the class that needs it' % facts["name"])
    if facts["kind"] in ("rfkill", "cpufreq") and users:
        fault(where, "is a matter of the whole gateway, not of %s" % ", ".join(users), "take `device` out of the class")
    if facts["kind"] == "rfkill" and facts["power_mw"] * 60 * facts["switch"]["every_min"] <= facts["start_mj"]:
        fault(where, "draws %g mW x %d s = %g mJ between two flushes, and a start takes %g mJ: it never pays" % (
            facts["power_mw"], 60 * facts["switch"]["every_min"], facts["power_mw"] * 60 * facts["switch"]["every_min"], facts["start_mj"]),
            "a longer every_min, or no switch")
