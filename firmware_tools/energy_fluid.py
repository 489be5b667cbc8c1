"""A site in the fluid model: slots of twenty minutes, mean rates, no single jobs. Quick enough to plan with."""

import copy

from gateway.energy.harvest import DAY, SLOT_MS
from gateway.energy.policy import EnergyPolicy

RESTART = .08


class Fluid:
    """What the policy makes of `harvest`, mJ of each slot. points: value done; dark: slots without power; wanted, done: jobs by
    class; levels: charge after each slot."""

    def __init__(self, classes, base_mw, capacity, charge, harvest, known=None):
        self.classes, self.base_mw, self.capacity, self.charge = classes, base_mw, capacity, charge
        self.policy = EnergyPolicy(copy.deepcopy(classes), capacity, base_mw, harvest=known)
        self.points = self.dark = self.brownouts = 0
        self.wanted, self.done = ({c.name: 0 for c in classes} for _ in range(2))
        self.levels, off = [], False
        self.policy.begin(0, charge)
        for slot, gained in enumerate(harvest):
            off = self._slot(slot, gained, off)

    def _slot(self, slot, gained, off):
        """One slot; gives whether the gateway is dark after it."""
        spent, worth = (0, 0) if off else self._jobs(slot % DAY * 24 // DAY)
        self.charge = min(self.capacity, self.charge + gained - (0 if off else spent + self.base_mw * SLOT_MS // 1000))
        self.dark += off
        if self.charge <= 0:
            self.charge, self.brownouts, off = 0, self.brownouts + (not off), True
        else:
            self.points += worth
            off = off and self.charge < RESTART * self.capacity
        self.levels.append(self.charge)
        self.policy.tick((slot + 1) * SLOT_MS, self.charge, gained)
        return off

    def _jobs(self, hour):
        """(mJ, points) of a slot at the policy's price."""
        policy, spent, worth = self.policy, 0, 0
        for c in self.classes:
            jobs, away = c.hourly[hour] * SLOT_MS // 3600000, c.name in policy.off
            index = 0 if policy.tight and c.critical else -1 if policy.tight or away else c.best(policy.plan.price)
            self.wanted[c.name] += jobs
            if not away:
                policy.jobs[c.name] += jobs
                spent += c.device.power_mw * SLOT_MS // 1000 if c.device else 0
            if index >= 0:
                self.done[c.name] += jobs
                spent += jobs * c.variants[index].energy_uj // 1000
                worth += jobs * c.variants[index].points
        return spent, worth
