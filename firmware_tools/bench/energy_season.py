"""Thirty days in the fluid model: no end effects worth the name, no single jobs, slots of twenty minutes."""

import copy

import numpy as np

from gateway.energy import certificate
from gateway.energy.harvest import DAY, SLOT_MS
from gateway.energy.load import Demand
from gateway.energy.policy import EnergyPolicy
from gateway.energy.salvage import salvage

DAYS = 30


def season(window):
    """{"u", "brownouts"}: share of the certificate's bound that the policy reaches over a long Window."""
    site = window.site
    harvest = np.array(site.harvest).reshape(-1, SLOT_MS // 60000).sum(1).astype(int).tolist()
    policy = EnergyPolicy(copy.deepcopy(site.classes), site.capacity, site.base_mw, harvest=window.known())
    policy.tick(0, site.charge, harvest[0])
    charge, points, brownouts, dark = site.charge, 0, 0, False
    for slot, gained in enumerate(harvest):
        worth, spent = (0, 0) if dark else slot_of(site, policy, slot % DAY * 24 // DAY)
        charge = min(site.capacity, charge + gained - (0 if dark else spent + site.base_mw * SLOT_MS // 1000))
        if charge <= 0:
            charge, dark, brownouts = 0, True, brownouts + 1
        else:
            points += worth
            dark = dark and charge < .08 * site.capacity
        policy.tick((slot + 1) * SLOT_MS, charge, gained)
    log = [certificate.Slot({c.name: c.hourly[slot % DAY * 24 // DAY] // 3 for c in site.classes}, gained,
                            site.base_mw * SLOT_MS // 1000, SLOT_MS) for slot, gained in enumerate(harvest)]
    most = certificate.bound(site.classes, Demand(site.classes).prices, log, site.charge, site.capacity, window.parts)
    return {"u": (points + salvage(window.parts, charge)) / most, "brownouts": brownouts}


def slot_of(site, policy, hour):
    """(points, mJ) of a slot at the policy's price."""
    worth = spent = 0
    for c in site.classes:
        index = 0 if policy.tight and c.critical else -1 if policy.tight or c.name in policy.off else c.best(policy.plan.price)
        policy.jobs[c.name] += c.hourly[hour] // 3 if c.name not in policy.off else 0
        if index >= 0:
            worth += c.hourly[hour] // 3 * c.variants[index].points
            spent += c.hourly[hour] // 3 * c.variants[index].energy_uj // 1000
        if c.device and c.name not in policy.off:
            spent += c.device.power_mw * SLOT_MS // 1000
    return worth, spent
