"""Ways upstream: one file each."""
