"""Tools around the gateway: command line, benchmarks, evaluation."""
