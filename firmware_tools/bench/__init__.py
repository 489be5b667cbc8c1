"""Benchmarks: each measures anew, with its baselines in the same run."""
