"""The local door: one HTTP API over what a gateway says and learns, and a page that uses nothing else."""
