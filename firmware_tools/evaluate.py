"""Whether a package is what it says: digests, shapes, a run, and its figures, judged by its domain."""

import importlib

from gateway.context import GatewayContext
from gateway.core.errors import ConfigError, ModelError
from gateway.discover import discover, load
from models.attention import PackageModel
from models.package import Package, folder_of

# domain: module with figures_on(model, own), which gives {"tables", "lines", "figures"}
JUDGES = {"ecg": "firmware_tools.evaluate_ecg", "traffic": "firmware_tools.evaluate_traffic", "vision": "firmware_tools.evaluate_vision"}


def options_of(manifest):
    """Default options."""
    return {name: spec.get("default") for name, spec in manifest["options"].items()}


def ready(package, variant):
    """A model that runs exactly this variant; "baseline" is the domain's rules. Raises ModelError."""
    context = GatewayContext("verify", ".")
    found = discover()[0].get(("plugin", Package(folder_of(package)).manifest["domain"]))
    rules = getattr(load(found), "baseline", None) if found else None
    model = PackageModel({"package": package, "variant": variant}, context, rules and rules(options_of(found.manifest), context))
    model.load()
    return model


def verify_package(name, variant=None, evaluate=False, own=None):
    """{"name", "variants": [{"name", "state", "why", "tables", "lines"}]}. own: recordings of the user's, see the judges."""
    package = Package(folder_of(name))
    if evaluate and package.manifest["domain"] not in JUDGES:
        raise ConfigError("nothing is known of what %s should answer" % package.name, "domains that are judged: " + ", ".join(JUDGES))
    wanted = [variant] if variant else [*package.variants, "baseline"]
    return {"name": package.name, "variants": [verify_variant(name, each, evaluate, own) for each in wanted]}


def verify_variant(name, variant, evaluate, own):
    """One variant's verdict."""
    try:
        model = ready(name, variant)
    except ModelError as error:
        return {"name": variant, "state": "broken", "why": error.message}
    found = {"name": variant, "state": "sound"}
    if evaluate:
        found.update(importlib.import_module(JUDGES[model.package.manifest["domain"]]).figures_on(model, own))
    return found
