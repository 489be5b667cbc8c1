"""The traffic models: a network of sensors, and a single one."""
