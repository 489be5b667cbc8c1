"""The portable heart of Heed: runs unchanged on CPython and MicroPython."""
