"""Which files are portable: the core, the authors' test kit, and every file that says so in its head."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MARK = "# runs on CPython and MicroPython"


def portable_files():
    """All files that must run on MicroPython."""
    files = [*sorted((ROOT / "gateway/core").glob("*.py")), ROOT / "gateway/testing.py"]
    for folder in ("gateway/energy", "sensors", "plugins", "models"):
        files += [path for path in sorted((ROOT / folder).rglob("*.py")) if MARK in path.read_text()]
    return files


def product_files():
    """Every Python file that is installed."""
    folders = ("gateway", "sensors", "plugins", "models", "firmware_tools")
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
