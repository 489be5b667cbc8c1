"""Energy: what a joule is worth now, what may be spent on it, who spent it, and how close to the best that was."""
