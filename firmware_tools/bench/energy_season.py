"""Thirty days in the fluid model: no end effects worth the name."""

import numpy as np

from firmware_tools.energy_fluid import Fluid
from gateway.energy import certificate
from gateway.energy.harvest import DAY, SLOT_MS
from gateway.energy.load import Demand
from gateway.energy.salvage import salvage


def season(window):
    """{"u", "brownouts", "feasible"}: share of the certificate's bound that the policy reaches over a long Window, and whether one
    that runs critical jobs only, at their smallest, from the first hour to the last, stays alight."""
    site = window.site
    harvest = np.array(site.harvest).reshape(-1, SLOT_MS // 60000).sum(1).astype(int).tolist()
    played = Fluid(site.classes, site.base_mw, site.capacity, site.charge, harvest, window.known())
    log = [certificate.Slot({c.name: c.hourly[slot % DAY * 24 // DAY] * SLOT_MS // 3600000 for c in site.classes}, gained,
                            site.base_mw * SLOT_MS // 1000, SLOT_MS) for slot, gained in enumerate(harvest)]
    most = certificate.bound(site.classes, Demand(site.classes).prices, log, site.charge, site.capacity, window.parts)
    return {"u": (played.points + salvage(window.parts, played.charge)) / most, "brownouts": played.brownouts,
            "feasible": survives(site, harvest)}


def survives(site, harvest):
    """Whether the least that there is to do can be done without going dark."""
    least, level = Demand(site.classes).least(), site.charge
    for slot, gained in enumerate(harvest):
        level = min(site.capacity, level + gained - least[slot % DAY * 24 // DAY] * 24 // DAY - site.base_mw * SLOT_MS // 1000)
        if level <= 0:
            return False
    return True
