"""Heed: gateway firmware that pays attention."""

__version__ = "0.1.0"
