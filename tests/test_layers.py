"""Who may import whom. The arrows are those of docs/architecture.md; any other fails here."""

import ast
import importlib
import sys

import pytest

from tests.gates.portable import ROOT, product_files
from tests.gates.portable_ast import MODULES

FOLDERS = ("gateway", "sensors", "plugins", "models", "firmware_tools")
# One owner file for each dependency that could be exchanged; numpy is everywhere arrays are.
OWNERS = {"ai_edge_litert": ["models/runtimes/litert.py"], "tflite_runtime": ["models/runtimes/litert.py"],
          "aiohttp": ["gateway/web/", "gateway/uplinks/http.py", "gateway/hub/http.py", "gateway/hub/enrolment.py", "gateway/metrics.py",
                      "gateway/attention/downlink.py", "gateway/hub/round_routes.py",
                      "firmware_tools/bench/sync_hub.py"],
          "aiomqtt": ["gateway/mqtt.py"], "paho": ["gateway/mqtt.py"], "google": ["gateway/forms/sparkplug"],
          "flwr": ["gateway/hub/flower/"], "psycopg": ["gateway/hub/postgres.py"], "thingsboard_gateway": ["firmware_tools/bench/peer_thingsboard.py"],
          "compression": ["gateway/forms/compress.py"],
          "backports": ["gateway/forms/compress.py"], "click": ["firmware_tools/cli/"], "rich": ["firmware_tools/"],
          "plotext": ["firmware_tools/demo_"], "matplotlib": ["firmware_tools/plot_"],
          "av": ["sensors/media.py"], "PIL": ["firmware_tools/recordings.py"], "ai_edge_quantizer": ["models/quantise.py"],
          "tensorflow": ["models/ecg/recipe/", "models/traffic/recipe/", "models/vision/recipe/"],
          "sqlite3": ["gateway/store.py", "gateway/attention/store.py", "gateway/hub/store.py", "gateway/hub/register.py"],
          "tomllib": ["gateway/config.py", "gateway/energy/tables.py", "firmware_tools/cli/hub.py"],
          "scipy": ["firmware_tools/bench/energy_oracle.py", "firmware_tools/cli/bench.py"], "ina219": ["gateway/energy/meters.py"],
          "urllib": ["gateway/fetch.py", "gateway/mqtt.py", "gateway/enrolment.py"],
          "cryptography": ["gateway/identity.py", "gateway/attention/masks.py", "gateway/attention/signer.py", "gateway/hub/ca.py"],
          "micropython": ["models/runtimes/kernels_viper.py"], "numpy": [""]}


def imports(text):
    """Dotted names that a file imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ("%s.%s" % (node.module, alias.name) for alias in node.names)


def allowed(place, name):
    """Whether the file at `place` may import `name`."""
    top = name.split(".")[0]
    if top not in FOLDERS and place.startswith("gateway/core/"):
        return top in MODULES | {"traceback"}
    if top not in FOLDERS:
        owners = OWNERS.get(top)
        return top in sys.stdlib_module_names and owners is None or any(place.startswith(o) for o in owners or ())
    if place.startswith("firmware_tools/"):
        return True
    if place.startswith("gateway/core/") or place == "gateway/testing.py":
        return name.startswith("gateway.core")
    if place.startswith("gateway/"):
        return top == "gateway" and not name.startswith("gateway.testing") or place == "gateway/app.py" and top == "models"
    if name.startswith("gateway.core"):
        return True
    if "/recipe/" in place and top == "plugins":
        return place.split("/")[1] == name.split(".")[1]  # a model is trained on exactly what its plugin computes
    return top == place.split("/")[0] and (top != "plugins" or name.split(".")[1] == place.split("/")[1])


def wrong_arrows(place, text):
    return ["%s imports %s" % (place, name) for name in imports(text) if not allowed(place, name)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_arrows(folder):
    files = [path for path in product_files() if path.relative_to(ROOT).parts[0] == folder]
    found = [arrow for path in files for arrow in wrong_arrows(str(path.relative_to(ROOT)), path.read_text())]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("place, text", [
    ("gateway/core/flow.py", "import numpy"), ("gateway/core/flow.py", "from gateway.store import SqliteStorage"),
    ("sensors/replay.py", "from gateway.config import load"), ("plugins/ecg/plugin.py", "from models.package import Package"),
    ("gateway/status.py", "import click"), ("gateway/app.py", "from plugins.ecg.plugin import EcgPlugin"),
    ("plugins/ecg/plugin.py", "from plugins.traffic.plugin import X"), ("gateway/config.py", "import sqlite3")])
def test_the_gate_bites(place, text):
    assert wrong_arrows(place, text)


def test_whatever_is_imported_of_our_own_is_there():
    """Also what is imported inside a function, by a command that no test runs. What needs a library that is not here is left out."""
    missing = []
    for path in product_files():
        for name in imports(path.read_text()):
            module, _, part = name.rpartition(".")
            if name.split(".")[0] in FOLDERS and module and not found(module, part):
                missing.append("%s: %s" % (path.relative_to(ROOT), name))
    assert not missing, "\n".join(missing)


def found(module, part):
    """Whether a module of ours has a part of this name, or is one."""
    try:
        return hasattr(importlib.import_module(module), part) or bool(importlib.import_module("%s.%s" % (module, part)))
    except ModuleNotFoundError as error:
        return error.name.split(".")[0] not in FOLDERS


def test_a_name_that_has_gone_is_seen():
    assert found("gateway.core.errors", "HeedError") and found("gateway.core", "errors") and not found("gateway.core.errors", "Gone")
