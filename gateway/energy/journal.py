"""The day's log, and the certificate that is made of it at midnight (UTC)."""

from gateway.energy import certificate
from gateway.energy.harvest import DAY, SLOT_MS
from gateway.energy.salvage import frontier, salvage

KEEP = 62
DAY_MS = 86400000


class Journal:
    """certificates: [{"day", "slots", "reached_percent", "assumed_jobs"}], oldest first; assumed_jobs: of classes whose
    device was off, so that nobody could count them: as many as are usual."""

    def __init__(self, governor, certificates):
        self.governor, self.certificates = governor, certificates
        self._begin()

    def _begin(self):
        self.log, self.points, self.assumed = [], 0, 0
        self.jobs, self.charge = {}, self.governor.charge.mj

    def came(self, c):
        """A job of class `c` has come."""
        self.jobs[c.name] = self.jobs.get(c.name, 0) + 1

    def done(self, points):
        """A job was done in time."""
        self.points += points

    def slot(self, harvested, wall):
        """A slot has ended; with the last of a day the certificate is due."""
        policy = self.governor.policy
        for c in policy.classes:
            if c.name in policy.off:
                usual = c.hourly[(wall // SLOT_MS - 1) % DAY * 24 // DAY] * 24 // DAY
                self.assumed += max(0, usual - self.jobs.get(c.name, 0))
                self.jobs[c.name] = max(self.jobs.get(c.name, 0), usual)
        self.log.append(certificate.Slot(self.jobs, harvested, policy.base_mw * SLOT_MS // 1000, SLOT_MS))
        self.jobs = {}
        if wall // DAY_MS != (wall - SLOT_MS) // DAY_MS:
            self.certificates = self.certificates[1 - KEEP:] + [self.certified(wall // DAY_MS - 1)]
            self._begin()

    def certified(self, day):
        """The certificate of what is in the log."""
        governor = self.governor
        policy, mean = governor.policy, governor.policy.harvest.mean()
        parts = frontier(policy.classes, (mean if mean is not None else 0) - policy.base_mw * 86400)
        most = certificate.bound(policy.classes, policy.demand.prices, self.log, self.charge, policy.capacity, parts)
        left = salvage(parts, governor.charge.mj)
        return {"day": day, "slots": len(self.log), "reached_percent": round(certificate.reached(self.points, left, most), 2),
                "assumed_jobs": self.assumed}
