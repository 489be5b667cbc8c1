"""What draws power beside the board while it is on: cameras, ports, radios. And who switches it, where anything does."""

from gateway.core.errors import ConfigError
from gateway.energy.device_settings import CLASS_KINDS
from gateway.energy.gauges import number


class Devices:
    """facts: see gateway.energy.device_settings. switches, duty: what fit() has found to be needed. always_mw: what no class decides on."""

    switches = duty = None

    def __init__(self, facts, policy):
        self.facts, self.policy = {device["name"]: device for device in facts}, policy
        self.always_mw = sum(int(device["power_mw"]) for device in facts if device["kind"] not in CLASS_KINDS)

    def camera(self, c):
        """Name of the device that the sensors of a class let go of, None where there is none."""
        return next((name for name in c.device.names if self.facts[name]["kind"] == "camera"), None) if c.device else None

    def wanted(self, name):
        """Whether any class that needs a device has it on; True where none needs it."""
        users = [c.name for c in self.policy.classes if c.device and name in c.device.names]
        return not users or any(user not in self.policy.off for user in users)

    def on(self, name):
        """Whether a device draws: as its switch has it, else as it should be."""
        known = self.switches.on.get(name) if self.switches else None
        return self.wanted(name) if known is None else known

    def drawn(self, span):
        """[(name, uJ)] of what is on, over `span` ms."""
        return [(name, int(device["power_mw"] * span)) for name, device in self.facts.items()
                if device["power_mw"] and self.on(name)]

    def start_uj(self, name):
        """Energy of a start."""
        return int(self.facts[name]["start_mj"] * 1000)

    def shown(self):
        """[{name, kind, on, state in words, fault}]; kind "" is always on."""
        faults, out = self.switches.faults if self.switches else {}, []
        for name, device in sorted(self.facts.items()):
            says = self.switches.parts[name][0].says if self.switches and name in self.switches.parts else ("off", "on")
            out.append({"name": name, "kind": device["kind"], "on": self.on(name), "fault": faults.get(name, ""),
                        "state": says[self.on(name)] if device["kind"] else "always on"})
        return out

    def fit(self, governor, outbox, uplinks):
        """Make the switches that the settings ask for. uplinks: names of those that need a network."""
        found = [device for device in self.facts.values() if device["kind"] not in ("", "camera")]
        if not found:
            return
        from gateway.energy.switches import KINDS, Switches
        self.switches = Switches({device["name"]: (KINDS[device["kind"]](device["switch"], governor.root),
                                                   self._asks(device, governor, outbox, uplinks)) for device in found},
                                 governor.clock, governor.ladder.log, governor.started)

    def _asks(self, device, governor, outbox, uplinks):
        """The function that says whether a device should be on."""
        rungs, values = governor.ladder.rungs, device["switch"]
        if device["kind"] == "uhubctl":
            return lambda: self.wanted(device["name"])
        if device["kind"] == "cpufreq":
            slows(governor, values["max_khz"])
            return lambda: not (rungs["heat"] or rungs["energy"])
        from gateway.energy.duty import Duty
        self.duty = Duty(60000 * values["every_min"], 1000 * values["open_s"], governor.clock,
                         lambda: values["always"] or rungs["energy"] > 0,
                         lambda: any(outbox.marks[uplink] < outbox.accepted_seq for uplink in uplinks),
                         lambda: outbox.quota.taken.get("alarm", 0))
        return self.duty.on


def slows(governor, cap):
    """Refuse a cap that makes jobs slower than the critical class's guard reckons with."""
    for path in sorted(governor.root.glob("sys/devices/system/cpu/cpufreq/policy*/cpuinfo_max_freq")):
        times = number(path) / cap
        if times > governor.values["worst"]:
            raise ConfigError("[[energy.device]]: %d kHz of %d is %.2f times slower, [energy] worst is %g" % (
                cap, number(path), times, governor.values["worst"]), "a higher max_khz, or a larger worst")
