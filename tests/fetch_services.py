"""Installs the brokers and the database that tests start, from Debian's packages, where this user may; says what it left out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from firmware_tools.services import PACKAGES, program  # noqa: E402
from gateway.core.errors import HeedError  # noqa: E402

# RUNLEVEL=1: the packages' own services stay down; tests start theirs
ENVIRONMENT = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")


def missing():
    """Debian packages whose program is not here."""
    found = []
    for name, package in PACKAGES.items():
        try:
            program(name)
        except HeedError:
            found.append(package)
    return found


def main():
    """Install what is missing, or say why not. Never fails: those tests skip."""
    packages = missing()
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages]
        if subprocess.run(install, env=ENVIRONMENT, stdout=subprocess.DEVNULL).returncode:
            subprocess.run(["apt-get", "update", "-q"], env=ENVIRONMENT, stdout=subprocess.DEVNULL)
            subprocess.run(install, env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        packages = missing()
    for package in packages:
        print("tests that need %s will skip; to run them: apt-get install %s" % (package, package))


if __name__ == "__main__":
    main()
