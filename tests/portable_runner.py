"""Runs tests/portable/test_*.py on whichever interpreter runs this file. Exit code 1 when a test fails."""

import asyncio
import os
import sys

FOLDER = "tests/portable"


def print_exception(error):
    """The traceback, on either interpreter."""
    if hasattr(sys, "print_exception"):
        sys.print_exception(error)
    else:
        sys.excepthook(type(error), error, error.__traceback__)


def run(name, test):
    """Whether one test passes."""
    try:
        result = test()
        if hasattr(result, "send"):
            asyncio.run(result)
            if hasattr(asyncio, "new_event_loop"):
                asyncio.new_event_loop()
        return True
    except Exception as error:
        print("FAILED", name)
        print_exception(error)
        return False


def main():
    """Run all and print the count."""
    sys.path.insert(0, "")  # the folder of this file, which comes first, has a `gateway` of its own
    passed = failed = 0
    for file in sorted(os.listdir(FOLDER)):
        if file.startswith("test_") and file.endswith(".py"):
            module = __import__("tests.portable." + file[:-3], None, None, ("x",))
            for name in sorted(dir(module)):
                if name.startswith("test_"):
                    ok = run(file + "::" + name, getattr(module, name))
                    passed, failed = passed + ok, failed + (not ok)
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
