"""The one file that knows which interpreter this is."""

import asyncio
import binascii
import hashlib
import os
import sys
import time
from collections import deque

IS_MICROPYTHON = sys.implementation.name == "micropython"

if IS_MICROPYTHON:
    ticks_ms = time.ticks_ms
    ticks_diff = time.ticks_diff

    def print_exception(error):
        """Write the traceback of `error` to the console."""
        sys.print_exception(error)

    def wall_ms():
        """Wall time, integer milliseconds since 1970 (0-based on an unset clock)."""
        return time.time_ns() // 1000000 if hasattr(time, "time_ns") else int(time.time()) * 1000

    def array_bytes(values):
        """The raw little-endian bytes of an array."""
        return bytes(values)
else:
    import traceback

    def ticks_ms():
        """Monotonic time, integer milliseconds from an arbitrary start."""
        return time.monotonic_ns() // 1000000

    def ticks_diff(later, earlier):
        """Milliseconds from `earlier` to `later`, right across a wrap of the counter."""
        return later - earlier

    def print_exception(error):
        """Write the traceback of `error` to standard error."""
        traceback.print_exception(type(error), error, error.__traceback__)

    def wall_ms():
        """Wall time, integer milliseconds since 1970."""
        return time.time_ns() // 1000000

    def array_bytes(values):
        """The raw little-endian bytes of an array."""
        return values.tobytes()


async def sleep_ms(n):
    """Let others run for `n` milliseconds. A coroutine of our own: wait_for refuses MicroPython's sleep."""
    await asyncio.sleep(n / 1000)


def sha256_hex(data):
    """SHA-256 of bytes as 64 hex digits. MicroPython has no hexdigest."""
    return binascii.hexlify(hashlib.sha256(data).digest()).decode()


def crc32(data):
    """CRC-32 (IEEE 802.3) of bytes, unsigned."""
    return binascii.crc32(data) & 0xFFFFFFFF


def random_id():
    """Sixteen hex digits nobody can guess: names an epoch."""
    return binascii.hexlify(os.urandom(8)).decode()


def bounded_deque(n):
    """Deque of at most `n` items that forgets the oldest. MicroPython takes positional arguments only."""
    return deque((), n)


class Clock:
    """The time that a part may ask for. Tests pass one that jumps (gateway.testing.FakeClock)."""

    ticks_ms = staticmethod(ticks_ms)
    wall_ms = staticmethod(wall_ms)
    sleep_ms = staticmethod(sleep_ms)
