"""The portable tests, on MicroPython: the pinned wheel, and Debian's 1.25, the oldest that is supported."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WHEEL = Path(os.environ.get("HEED_MICROPYTHON", ROOT / ".venv-mpy" / "bin" / "micropython"))
DEBIAN = Path(os.environ.get("HEED_MICROPYTHON_DEB", ROOT / ".cache" / "micropython-deb" / "micropython"))


def run(interpreter, *options):
    """Run the portable tests, or skip with the reason why the interpreter is not here."""
    if not interpreter.exists():
        reason = interpreter.parent / "reason"
        why = reason.read_text().strip() if reason.exists() else "%s is not here: make test fetches it" % interpreter
        if os.environ.get("CI") and not reason.exists():
            pytest.fail(why)
        pytest.skip(why)
    done = subprocess.run([str(interpreter), *options, "tests/portable_runner.py"], cwd=ROOT, capture_output=True, text=True,
                          timeout=300, env=dict(os.environ, MICROPYPATH=".:.frozen"))
    assert done.returncode == 0 and ", 0 failed" in done.stdout, done.stdout + done.stderr


def test_on_the_wheel():
    run(WHEEL)


def test_on_debian_1_25():
    run(DEBIAN)


def test_in_a_small_heap():
    # Words are 64-bit here: about twice what a microcontroller needs.
    run(WHEEL, "-X", "heapsize=1M")
