"""Sources: one file each."""
