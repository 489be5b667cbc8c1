"""What sends a gateway down the ladder, beside energy: heat, a lost accelerator, a clock that jumped. Each is undone by itself."""

from gateway.core.compat import ticks_diff

JUMP_MS = 60000  # a wall clock that is this far from the ticks has jumped
HOT, HOTTER, COOL = 80, 85, 75  # Celsius; the firmware throttles from 80, hard at 85


def clock(governor, off):
    """off: ms by which wall time went another way than the ticks."""
    if abs(off) > JUMP_MS:
        governor.counters["clock_jumps"] += 1
        governor.ladder.set("clock", 1, "%+d s" % (off // 1000))


def heat(governor, celsius):
    """Very hot: smallest variants only; hot: no largest; back when it has cooled by five degrees. None: no thermometer."""
    if celsius is None:
        return
    policy = governor.policy
    policy.heat = 2 if celsius >= HOTTER else 1 if celsius >= HOT else min(policy.heat, 1) if celsius > COOL else 0
    governor.ladder.set("heat", policy.heat, "%.0f C" % celsius)


def lose(governor, device, reason):
    """An accelerator does not answer."""
    governor.policy.lost = tuple(sorted({*governor.policy.lost, device}))
    governor.lost_at[device] = governor.clock.ticks_ms()
    governor.ladder.set("accelerator", 1, reason)


def accelerators(governor, ticks):
    """One that was lost is tried again after a rest; where it is still away, the next job loses it anew."""
    lost = [device for device in governor.policy.lost if ticks_diff(ticks, governor.lost_at[device]) < 1000 * governor.values["retry_s"]]
    governor.policy.lost = tuple(lost)
    if not lost:
        governor.ladder.set("accelerator", 0)
