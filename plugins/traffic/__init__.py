"""Traffic: forecasts, congestion ahead, incidents, sensors that fail."""
