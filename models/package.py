"""A model package: a folder with manifest.json, weights and card.md, checked before anything of it is run."""

import io
import json
import os
from pathlib import Path

import numpy as np

from gateway.core.compat import sha256_hex
from gateway.core.errors import ModelError

ROOT = Path(__file__).resolve().parent
API = 1
KEYS = ("name", "version", "api", "domain", "inputs", "classes", "controls", "state", "variants", "fallback")


class Variant:
    """One file of weights. facts: what the manifest says of it."""

    def __init__(self, folder, facts):
        self.name = facts["name"]
        self.runtime = facts["runtime"]
        self.path = Path(folder) / facts["file"]
        self.sha256 = facts["sha256"]
        self.facts = facts

    def data(self):
        """The file's bytes, or ModelError when it is missing or not the one that the manifest names."""
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise ModelError("%s: %s" % (self.path, error.strerror), "install the package again")
        if sha256_hex(data) != self.sha256:
            raise ModelError("%s is not the file that manifest.json names (SHA-256 %s...)" % (self.path, sha256_hex(data)[:12]),
                             "it was changed or damaged: install the package again")
        return data


class Package:
    """manifest: dict as in docs/models.md; variants: {name: Variant}; fallback: names, best first."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.manifest = self._read()
        self.name = self.manifest["name"]
        self.classes = self.manifest["classes"]
        self.variants = {facts["name"]: Variant(folder, facts) for facts in self.manifest["variants"]}
        self.fallback = self.manifest["fallback"]
        unknown = [name for name in self.fallback if name not in self.variants and name != "baseline"]
        if unknown:
            raise ModelError("%s: fallback names no variant: %s" % (self.folder, unknown), "mend manifest.json")

    def gradient(self):
        """The stateless gradient graph, or ModelError where the package has none: search is left then."""
        if "grad" not in self.manifest:
            raise ModelError("%s has no gradient graph" % self.folder, "it can be adapted by search only")
        return Variant(self.folder, dict(self.manifest["grad"], name="grad", runtime="litert"))

    def adaptable(self):
        """Whether it gives what the head judges, and ships the head: what learning beside it needs. Series label themselves."""
        return "forecast" not in self.manifest and "float" in self.variants and bool(self.manifest["controls"]) and (
            "head" in self.manifest or (self.folder / "weights.npz").exists())

    def anchors(self):
        """(hidden (n, width) float32, labels (n,) int) of known inputs of every class, or None where the package ships none."""
        if "anchors" not in self.manifest:
            return None
        with np.load(io.BytesIO(Variant(self.folder, dict(self.manifest["anchors"], name="anchors", runtime="")).data())) as arrays:
            return arrays["hidden"].astype(np.float32), arrays["labels"].astype(int)

    def _read(self):
        path = self.folder / "manifest.json"
        if not path.exists():
            raise ModelError("no model package %s: there is no %s" % (self.folder.name, path), "`heed model list` names those that are here")
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError("%s cannot be read: %s" % (path, error), "is this the folder of a model package?")
        missing = [key for key in KEYS if key not in manifest]
        if missing or manifest["api"] > API:
            raise ModelError("%s: %s" % (path, "lacks " + ", ".join(missing) if missing else "made for a newer gateway"),
                             "see docs/models.md")
        return manifest


def user_folder():
    """Where packages of the user's own are: HEED_MODELS, or the data folder of the user."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(os.environ.get("HEED_MODELS") or Path(data) / "heed" / "models")


def folder_of(name):
    """Folder of a package by name (built in, then installed) or path."""
    for place in (ROOT, user_folder()):
        if (place / name / "manifest.json").exists():
            return place / name
    return Path(name)


def names():
    """Names of the built-in and installed packages."""
    return sorted({path.parent.name for place in (ROOT, user_folder()) for path in place.glob("*/manifest.json")})
