"""Fetches Debian trixie's MicroPython 1.25 with the libraries it needs, from the mirror that apt is set to.

Extracted beside this checkout, never installed: trixie's libc must not come near an older system. Each
package is checked against the SHA-256 of the suite's index. Where it cannot be had, `reason` says why.
"""

import hashlib
import lzma
import platform
import re
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

PACKAGES = ("micropython", "libc6", "libffi8", "libmbedcrypto16", "libmbedtls21", "libmbedx509-7")
MACHINES = {"x86_64": ("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
            "aarch64": ("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1")}
SOURCES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d")


def mirror():
    """Base address of the first Debian archive that apt uses."""
    files = [Path(SOURCES[0]), *sorted(Path(SOURCES[1]).glob("*"))]
    text = "\n".join(path.read_text() for path in files if path.is_file())
    found = re.search(r"^(?:URIs:|deb(?:\s+\[.*?\])?)\s*(https?://\S+?/debian)/?(?:\s|$)", text, re.M)
    if not found:
        raise OSError("apt on this machine names no Debian archive")
    return found[1]


def fetch(url):
    """Bytes of a file."""
    return urllib.request.urlopen(url, timeout=60).read()


def index(base, architecture):
    """{package: (file name, sha256)} of trixie."""
    text = lzma.decompress(fetch("%s/dists/trixie/main/binary-%s/Packages.xz" % (base, architecture))).decode()
    found = {}
    for stanza in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] != " ")
        if fields.get("Package") in PACKAGES:
            found[fields["Package"]] = fields["Filename"], fields["SHA256"]
    return found


def unpack(base, entry, folder):
    """Fetch, check and extract one package."""
    data = fetch("%s/%s" % (base, entry[0]))
    if hashlib.sha256(data).hexdigest() != entry[1]:
        raise OSError("%s has another SHA-256 than the index says" % entry[0])
    deb = folder / Path(entry[0]).name
    deb.write_bytes(data)
    subprocess.run(["dpkg-deb", "-x", str(deb), str(folder / "root")], check=True)


def main(folder):
    """Leave folder/micropython, a script that runs it with its own libraries."""
    if platform.machine() not in MACHINES:
        raise OSError("no Debian MicroPython is fetched for " + platform.machine())
    architecture, triplet, loader = MACHINES[platform.machine()]
    base = mirror()
    found = index(base, architecture)
    for package in PACKAGES:
        unpack(base, found[package], folder)
    libraries = (folder / "root" / "usr" / "lib" / triplet).resolve()
    script = folder / "micropython"
    script.write_text('#!/bin/sh\nexec %s/%s --library-path %s %s "$@"\n' % (
        libraries, loader, libraries, (folder / "root/usr/bin/micropython").resolve()))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    try:
        main(place)
        (place / "reason").unlink(missing_ok=True)
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        (place / "reason").write_text("Debian's MicroPython is not here: %s\n" % error)
        print((place / "reason").read_text(), end="")
