"""Runtimes: run weights, know no meaning."""
