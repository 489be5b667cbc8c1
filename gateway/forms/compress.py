"""Compression by its magic number: gzip always, zstd where this Python has it."""

import gzip
import io

from gateway.core.errors import Rejected

try:
    from compression import zstd
except ImportError:
    try:
        from backports import zstd
    except ImportError:  # the extra `zstd`
        zstd = None

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LEVEL = {"gzip": 6, "zstd": 6}
NAMES = ("gzip", "zstd") if zstd else ("gzip",)


def pack(name, data):
    """`data` compressed as `name`, one of NAMES."""
    return zstd.compress(data, LEVEL["zstd"]) if name == "zstd" else gzip.compress(data, LEVEL["gzip"], mtime=0)


def unpack(data, limit):
    """Plain bytes of what is compressed, or is not. Raises Rejected beyond `limit` bytes, having read no further."""
    if data[:2] == GZIP:
        stream = gzip.GzipFile(fileobj=io.BytesIO(data))
    elif data[:4] == ZSTD and zstd:
        stream = zstd.ZstdFile(io.BytesIO(data))
    elif data[:4] == ZSTD:
        raise Rejected("zstd is not to be had here", "install heed-gateway[zstd], or send gzip")
    else:
        stream = io.BytesIO(data)
    try:
        plain = stream.read(limit + 1)
    except (OSError, EOFError, zstd.ZstdError if zstd else OSError) as error:
        raise Rejected("the payload is damaged: %s" % error, "")
    if len(plain) > limit:
        raise Rejected("the payload unpacks to more than %d bytes" % limit, "send smaller batches")
    return plain
