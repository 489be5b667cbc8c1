"""Thirty days in the fluid model: no end effects worth the name."""

import numpy as np

from firmware_tools.energy_fluid import Fluid
from gateway.energy import certificate
from gateway.energy.harvest import DAY, SLOT_MS
from gateway.energy.load import Demand
from gateway.energy.salvage import salvage


def season(window):
    """{"u", "brownouts"}: share of the certificate's bound that the policy reaches over a long Window."""
    site = window.site
    harvest = np.array(site.harvest).reshape(-1, SLOT_MS // 60000).sum(1).astype(int).tolist()
    played = Fluid(site.classes, site.base_mw, site.capacity, site.charge, harvest, window.known())
    log = [certificate.Slot({c.name: c.hourly[slot % DAY * 24 // DAY] * SLOT_MS // 3600000 for c in site.classes}, gained,
                            site.base_mw * SLOT_MS // 1000, SLOT_MS) for slot, gained in enumerate(harvest)]
    most = certificate.bound(site.classes, Demand(site.classes).prices, log, site.charge, site.capacity, window.parts)
    return {"u": (played.points + salvage(window.parts, played.charge)) / most, "brownouts": played.brownouts}
