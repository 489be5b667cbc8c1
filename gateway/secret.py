"""Files that nobody but their owner may read: keys, and what is as good as one."""

import os
from pathlib import Path

from gateway.core.errors import HeedError


def write(path, data, mode=0o600):
    """Write bytes whole or not at all. Root leaves the file to whom the folder belongs. Raises HeedError."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)  # one that was left behind may have another mode
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            if os.geteuid() == 0:
                folder = os.stat(path.parent)
                os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise HeedError("%s cannot be written: %s" % (path, error.strerror), "give a folder that can be written, with room in it")


def kept(path, make):
    """Bytes of a file; made with make() where there is none yet. Raises HeedError."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        write(path, make())
        return Path(path).read_bytes()
    except OSError as error:
        raise HeedError("%s cannot be read: %s" % (path, error.strerror), "run as the user whom it belongs to")
