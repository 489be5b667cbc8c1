"""A gateway as `heed run` starts it; prints when the first inference came, then goes on for a while."""

import json
import resource
import sys
import time


def main(settings, seconds, started):
    """settings: path; seconds: how long to go on; started: time.time() of the parent before the start."""
    from gateway import app, config
    from models.package import names
    seen = {}

    def watch(features, *_):
        if features and "first_s" not in seen:
            seen["first_s"] = time.time() - started
        if seen and time.time() - started > seconds:
            with open("/proc/self/status", encoding="ascii") as file:
                rss = [line for line in file if line.startswith("VmRSS")][0]
            seen["rss_mb"] = int(rss.split()[1]) / 1000
            seen["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
            print(json.dumps(seen), flush=True)
            sys.exit(0)
    app.serve(config.load(settings, names()), watch=watch)


if __name__ == "__main__":
    import firmware_tools.cli  # noqa: F401  `heed run` carries it too
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
