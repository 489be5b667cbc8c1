"""Fetches files into the cache: whole or not at all, and only as the checksum says."""

import hashlib
import os
import urllib.request
from pathlib import Path

from gateway.core.errors import HeedError


def cache():
    """The folder that fetched files go to."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "heed"


def keep(path, data):
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)


def download(source):
    """The bytes at a URL."""
    try:
        return urllib.request.urlopen(source, timeout=60).read()
    except OSError as error:
        raise HeedError("%s cannot be fetched: %s" % (source, error), "no network? set HEED_DATA to a folder that has it")


def same(data, sha256, source):
    """The bytes, if they are those that Heed knows."""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise HeedError("%s is not the file that Heed knows" % source, "try again later")
    return data


def fetch_files(files, progress):
    """Files that are not there yet. files: [(sha256, path within the cache, source)]."""
    for done, (sha256, name, source) in enumerate(files):
        if not (cache() / name).exists():
            keep(cache() / name, same(download(source), sha256, source))
        progress(done + 1, len(files))
