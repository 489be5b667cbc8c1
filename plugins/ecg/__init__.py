"""ECG: beats found, classed, watched for what a clinic wants to know."""
