"""Sensors under the policy: they rest longer as energy gets short, and let go of a device that is off."""

REST_NEED = 500  # per mille of need from which on sensors rest
CLOSED_MS = 1000  # how often a sensor that has let go asks whether its device may be on again


def rest_ms(c, policy, most):
    """How long a sensor of class `c` rests between two readings, at most `most` ms: as long as it may when none of its jobs is worth
    running, else by need. Sensors of a critical class never rest."""
    if c.critical or policy.plan is None:
        return 0
    if policy.tight or c.name in policy.off or c.best(policy.plan.price) < 0:
        return most
    return most * max(0, policy.plan.need - REST_NEED) // (1000 - REST_NEED)


class Rests:
    """now: {sensor: ms that it rests at present}; closed: names of sensors that have let go of their device.

    started(device): tells of the energy of a start."""

    def __init__(self, policy, clock, started):
        self.policy, self.clock, self.started = policy, clock, started
        self.now, self.closed = {}, set()
        self.counters = {"rested_ms": 0, "cameras_closed": 0}

    def rest(self, sensor, name, c, most, camera):
        """Let a sensor rest before it reads. most: longest rest in ms, of its manifest; camera: the device that it lets go of when that
        is off, or None."""
        read = sensor.read

        async def call():
            if camera and c.name in self.policy.off:
                await self._let_go(sensor, name, c, camera)
            ms = self.now[name] = rest_ms(c, self.policy, most)
            if ms:
                self.counters["rested_ms"] += ms
                await sensor.rest(ms)
            return await read()
        sensor.read = call

    def note(self, sensor):
        """Why a sensor that works gives little or nothing, in words."""
        if sensor in self.closed:
            return "its device is off: energy is short"
        return "rests for %d ms: energy is short" % self.now[sensor] if self.now.get(sensor) else ""

    async def _let_go(self, sensor, name, c, camera):
        """Close a sensor until its device may be on again."""
        await sensor.close()
        self.closed.add(name)
        self.counters["cameras_closed"] += 1
        try:
            while c.name in self.policy.off:
                await self.clock.sleep_ms(CLOSED_MS)
        finally:
            self.closed.discard(name)
        self.started(camera)
        await sensor.open()
