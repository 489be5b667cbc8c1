"""Finds parts by the literal MANIFEST at the head of their file. Nothing is imported before it is wanted."""

import ast
import importlib
import importlib.util
from importlib import metadata
from pathlib import Path

from gateway.core.errors import PluginError
from gateway.core.plugin import API

ROOT = Path(__file__).resolve().parent.parent
BUILT_IN = (("sensors", "sensor"), ("plugins", "plugin"), ("gateway/uplinks", "uplink"))
GROUP = "heed.plugins"
KINDS = ("sensor", "plugin", "model", "uplink")
REQUIRED = ("kind", "name", "version", "api", "summary", "runs_on", "options")


class Found:
    """A part that can be loaded: its manifest, file, import name and where it came from."""

    def __init__(self, manifest, path, module, origin):
        self.manifest = manifest
        self.kind = manifest["kind"]
        self.name = manifest["name"]
        self.path = path
        self.module = module
        self.origin = origin


def read_manifest(path):
    """The MANIFEST literal of a file, or None where the file has none. Raises PluginError when it is broken."""
    try:
        tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError, OSError) as error:
        raise PluginError("%s cannot be read: %s" % (path, error), "mend the file, or move it out of the folder")
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "MANIFEST":
            try:
                return checked(ast.literal_eval(node.value), "%s:%d" % (path, node.lineno))
            except ValueError:
                raise PluginError("%s:%d: MANIFEST is no literal" % (path, node.lineno), "write plain values, no calls or names")
    return None


def checked(manifest, place):
    """A manifest that has all it must have, or PluginError."""
    missing = [key for key in REQUIRED if key not in manifest]
    if missing:
        raise PluginError("%s: the manifest lacks %s" % (place, ", ".join(missing)), "see docs/plugins.md")
    if manifest["kind"] not in KINDS:
        raise PluginError("%s: kind is %r" % (place, manifest["kind"]), "one of " + ", ".join(KINDS))
    if manifest["api"] > API:
        raise PluginError("%s: made for api %s, this gateway has %s" % (place, manifest["api"], API), "update the gateway")
    leaves = manifest.get("leaves", {})
    if not isinstance(leaves, dict) or not all(isinstance(fields, dict) and all(fields.values()) for fields in leaves.values()):
        raise PluginError('%s: "leaves" is no {kind: {field: meaning}}' % place, "see docs/privacy.md")
    if type(manifest.get("rest_ms", 0)) is not int or manifest.get("rest_ms", 0) < 0:
        raise PluginError('%s: "rest_ms" is %r' % (place, manifest["rest_ms"]), "the longest rest between two readings, in ms; 0 = none")
    for name, spec in manifest["options"].items():
        if not spec.get("help") or "default" not in spec and not spec.get("required"):
            raise PluginError('%s: option "%s" lacks help or default' % (place, name), "every option needs both")
    return manifest


def candidates(folder):
    """(file, module tail) of all that may be a part in a folder: NAME.py, or NAME/plugin.py."""
    for path in sorted(Path(folder).glob("*.py")):
        if path.stem != "__init__":
            yield path, path.stem
    for path in sorted(Path(folder).glob("*/plugin.py")):
        yield path, path.parent.name + ".plugin"


def entry_points():
    """(file, module) of installed packages in the group heed.plugins, located without importing them."""
    for entry in metadata.entry_points(group=GROUP):
        tail = entry.module.replace(".", "/")
        for file in entry.dist.files or () if entry.dist else ():
            if str(file) in (tail + ".py", tail + "/__init__.py"):
                yield Path(entry.dist.locate_file(file)), entry.module


def sources(folder=None):
    """(file, module, origin) of every candidate: built in, installed, and in the user's plugin folder."""
    for place, _ in BUILT_IN:
        for path, tail in candidates(ROOT / place):
            yield path, place.replace("/", ".") + "." + tail, "built in"
    for path, module in entry_points():
        yield path, module, "installed"
    if folder:
        for path, tail in candidates(folder):
            yield path, None, "folder"


def discover(folder=None):
    """(parts by (kind, name), faults as PluginError list). The first of two with one name stays."""
    parts, faults = {}, []
    if folder and not Path(folder).is_dir():
        faults.append(PluginError("the plugin folder %s does not exist" % folder, "make it, or mend [gateway] plugins"))
    for path, module, origin in sources(folder):
        try:
            manifest = read_manifest(path)
        except PluginError as error:
            faults.append(error)
            continue
        key = manifest and (manifest["kind"], manifest["name"])
        if key in parts:
            faults.append(PluginError('%s: a second %s called "%s"' % ((path,) + key), "the first is %s" % parts[key].path))
        elif key:
            parts[key] = Found(manifest, path, module, origin)
    return parts, faults


def load(found):
    """The class of a part. Raises PluginError when its file cannot be imported or holds no PLUGIN."""
    try:
        if found.module:
            module = importlib.import_module(found.module)
        else:
            spec = importlib.util.spec_from_file_location("heed_plugin_" + found.name, found.path)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
    except Exception as error:  # whatever a stranger's file raises at import
        raise PluginError("%s cannot be imported: %s: %s" % (found.path, type(error).__name__, error),
                          "it needs: " + (", ".join(found.manifest.get("needs", ())) or "nothing"))
    if not hasattr(module, "PLUGIN"):
        raise PluginError("%s defines no PLUGIN" % found.path, "end the file with `PLUGIN = TheClass`")
    return module.PLUGIN
