"""The switches of devices: the port of a stick, the radio, the clock. On at the start, whatever a crash has left, and on again at the stop.

A switch has set(on), awaited, which raises NotConnected when it could not, and says, its states in words. None of them was run on hardware.
"""

import asyncio
import re
from pathlib import Path

from gateway.core.compat import ticks_diff
from gateway.core.errors import NotConnected
from gateway.energy.gauges import number

TIMEOUT_S = 4  # a supervisor that stops asks again after five
EVERY_MS, RETRY_MS = 1000, 60000


async def output_of(*words):
    """What a command prints. NotConnected when it is not there, fails, or does not end in time."""
    try:
        process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
                                                       stderr=asyncio.subprocess.STDOUT)
    except OSError as error:
        raise NotConnected("%s cannot be run: %s" % (words[0], error.strerror), "install it, and let the gateway's user run it")
    try:
        text, _ = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    except TimeoutError:
        raise NotConnected("%s does not end in %d s" % (" ".join(words), TIMEOUT_S))
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.wait({asyncio.ensure_future(process.wait())}, timeout=1)
    if process.returncode:
        raise NotConnected("%s failed: %s" % (" ".join(words), (text.decode(errors="replace").strip().splitlines() or ["no word"])[-1]))
    return text.decode(errors="replace")


class Uhubctl:
    """The power of a port of a USB hub, by the program uhubctl."""

    says = ("off", "on")

    def __init__(self, values, root):
        self.hub, self.port = values["hub"], str(values["port"])

    async def set(self, on):
        """On or off. uhubctl prints the port before and after: what it says last must be so."""
        text = await output_of("uhubctl", "-l", self.hub, "-p", self.port, "-a", "on" if on else "off")
        said = re.findall(r"Port %s: \w+ (\w+)" % self.port, text)
        if not said or (said[-1] == "off") == on:
            raise NotConnected("port %s of hub %s is %s after uhubctl" % (self.port, self.hub, said[-1] if said else "not named"))


class Rfkill:
    """A radio, by the program rfkill."""

    says = ("off", "on")

    def __init__(self, values, root):
        self.radio = values["radio"]

    async def set(self, on):
        """Let the radio send, or not."""
        await output_of("rfkill", "unblock" if on else "block", self.radio)


class Cpufreq:
    """The clock of the processor; off = capped. A cap slows every job: [energy] worst must cover it."""

    says = ("capped", "as fast as it may")

    def __init__(self, values, root):
        self.cap, self.root = values["max_khz"], Path(root)

    async def set(self, on):
        """Write the limit of every group of cores, the hardware's own when on."""
        folders = sorted(self.root.glob("sys/devices/system/cpu/cpufreq/policy*"))
        if not folders:
            raise NotConnected("this kernel has no cpufreq", "see /sys/devices/system/cpu/cpufreq")
        for folder in folders:
            khz = number(folder / "cpuinfo_max_freq")
            path = folder / "scaling_max_freq"
            try:
                path.write_text("%d\n" % (khz if on else max(number(folder / "cpuinfo_min_freq"), min(khz, self.cap))))
            except OSError as error:
                raise NotConnected("%s cannot be written: %s" % (path, error.strerror), "run the gateway as a user that may")


KINDS = {"uhubctl": Uhubctl, "rfkill": Rfkill, "cpufreq": Cpufreq}


class Switches:
    """parts: {device: (switch, function that gives whether it should be on)}; started(device): tells of a start.

    on: {device: True, False, or None while nobody knows}; faults: {device: why it could not be switched, in words}."""

    def __init__(self, parts, clock, log, started):
        self.parts, self.clock, self.log, self.started = parts, clock, log, started
        self.on, self.faults, self.tried = dict.fromkeys(parts), {}, {}
        self.counters = {"switched_on": 0, "switched_off": 0, "switch_faults": 0}

    async def run(self, up):
        """Look each second, for ever. A child of the supervisor."""
        try:
            await self._each(True)
            up()
            while True:
                await self._each()
                await self.clock.sleep_ms(EVERY_MS)
        finally:
            await self._each(True)

    async def _each(self, on=None):
        """Bring all to where they should be, or to `on`, side by side: a slow one holds nobody up."""
        await asyncio.gather(*[self._bring(name, wanted() if on is None else on, on is not None)
                               for name, (_, wanted) in self.parts.items()])

    async def _bring(self, name, on, at_once):
        """Switch one device where that is due; one that failed rests before it is tried again."""
        now = self.clock.ticks_ms()
        if self.on[name] is on or not at_once and name in self.faults and ticks_diff(now, self.tried[name]) < RETRY_MS:
            return
        before, self.on[name], self.tried[name] = self.on[name], None, now
        try:
            await self.parts[name][0].set(on)
        except NotConnected as error:
            return self._failed(name, on, str(error))
        self.on[name] = on
        self.faults.pop(name, None)
        self.counters["switched_on" if on else "switched_off"] += 1
        self.log("info", "%s is %s" % (name, self.parts[name][0].says[on]))
        if on and before is False:
            self.started(name)

    def _failed(self, name, on, words):
        self.counters["switch_faults"] += 1
        if self.faults.get(name) != words:
            self.log("warning", "%s is not %s: %s" % (name, self.parts[name][0].says[on], words))
        self.faults[name] = words
