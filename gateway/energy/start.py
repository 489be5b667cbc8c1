"""What a governor begins with: the meter that was asked for, the gauge, the tables, and what was kept from before."""

import json
import os
from pathlib import Path

from gateway.core.errors import ConfigError
from gateway.energy import gauges, meters


def chosen(wanted, root):
    """The meters to use, best first; the model is always the last."""
    found, _ = meters.probe(root)
    if wanted == "auto":
        return found
    named = [meter for meter in found if meter.name.split()[-1 if wanted == "pmic" else 0] == wanted]
    if not named:
        raise ConfigError("[energy] meter = %r: there is none" % wanted, "`heed energy probe` shows what there is; or meter = \"auto\"")
    return named if wanted == "model" else [*named, found[-1]]


def gauge_of(given, root):
    """The gauge that the settings name, by a folder or by a voltage; else the first that the kernel knows, else None."""
    if isinstance(given, dict):
        return gauges.Voltage(given, gauges.curve(given["curve"]))
    if given:
        return gauges.Gauge(given)
    _, found = meters.probe(root)
    return found[0] if found else None


def tables_of(classes):
    """(names, J per job) of all variants, as an Account wants them."""
    pairs = [(c.name + "/" + v.name, v.energy_uj / 1e6) for c in classes for v in c.variants]
    return [name for name, _ in pairs], [joules for _, joules in pairs]


def read(path):
    """What keep() wrote; empty where there is none, or it is damaged."""
    try:
        kept = json.loads(path.read_text())
        kept["days"] = {int(day): entries for day, entries in kept["days"].items()}
        return dict(kept, harvest=[int(mj) for mj in kept["harvest"]])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {"days": {}, "harvest": [], "next": None, "certificates": []}


def keep(path, governor):
    """Ledger, history and charge to disk, whole or not at all; a full disk costs the account, not the gateway."""
    harvest, part = governor.policy.harvest, Path(path).with_suffix(".part")
    kept = {"days": governor.ledger.days, "harvest": harvest.slots, "next": harvest.next,
            "certificates": governor.journal.certificates, "share": governor.charge.mj / governor.charge.capacity,
            "learnt": governor.learnt.kept()}
    try:
        part.write_text(json.dumps(kept))
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
