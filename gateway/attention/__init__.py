"""Attention that improves while it runs: feedback, optimiser, guard, and what gateways learn from each other."""
