"""Energies that a meter has taught, in the place of the tables' where they can be trusted.

A variant's energy is believed when an hour was accounted for, its standard error is small, and it lies within bounds of the table: what is
further off says that the meter is wrong, or the settings are. It is approached slowly. When too much of what the meter says stays
unexplained, the tables come back, and learning begins anew.
"""

MINUTES = 60  # accounted for before anything is believed; and for how long alarms are remembered
ERROR = .15  # standard error over the value
LOW, HIGH = .3, 3.0  # times the table
STEP = .1  # of the way, each minute
CALM, TROUBLE = .10, .25  # share of the last minutes with an alarm: below it learning goes on, above it the tables come back


class Learnt:
    """policy: its variants' energies and what it takes for always drawn are changed in place; account: see accounts.Account; on: whether
    they may be changed; always_mw: devices that are always on, which the account does not see. used: {name: J a job}, "" the base in W."""

    def __init__(self, policy, account, on, always_mw, log):
        self.policy, self.account, self.on, self.always_mw, self.log = policy, account, on, always_mw, log
        self.table = dict(zip([*account.names, ""], account.prior.tolist()))
        self.used, self.recent = dict(self.table), []
        self.counters = {"energies_learnt": 0, "energies_reverted": 0}

    def minute(self, counts, seconds, joules):
        """One more minute by a meter: see Account.update."""
        self.recent = self.recent[1 - MINUTES:] + [self.account.update(counts, seconds, joules)]
        trouble = sum(self.recent) / len(self.recent)
        if trouble > TROUBLE and len(self.recent) == MINUTES and self.used != self.table:
            self._revert()
        elif self.on and trouble <= CALM and self.account.minutes >= MINUTES:
            self._approach()

    def trusted(self, name):
        """Whether what was learnt of a variant, or of the base (""), can be believed."""
        value, error = self.account.energies()[name]
        return self.account.minutes >= MINUTES and error <= ERROR * value and LOW <= value / max(self.table[name], 1e-9) <= HIGH

    def _approach(self):
        """A step from what is used to what was learnt."""
        energies, before = self.account.energies(), dict(self.used)
        for name in self.used:
            if self.trusted(name):
                self.used[name] += STEP * (energies[name][0] - self.used[name])
        self.counters["energies_learnt"] += self.used != before
        self.put()

    def _revert(self):
        self.counters["energies_reverted"] += 1
        self.log("warning", "%d of the last %d minutes stayed unexplained: energies of the tables again" % (sum(self.recent), MINUTES))
        self.used, self.recent = dict(self.table), []
        self.account.begin()
        self.put()

    def put(self):
        """Let the policy decide by what is used. A larger variant is never taken for cheaper than a smaller one."""
        for c in self.policy.classes:
            least = 0
            for variant in c.variants:
                least = variant.energy_uj = max(1, least, round(1e6 * self.used[c.name + "/" + variant.name]))
        self.policy.base_mw = round(1000 * self.used[""]) + self.always_mw
        self.policy.demand.learn()

    def kept(self):
        """For the file."""
        return {"account": self.account.kept(), "used": self.used}

    def restore(self, kept):
        """Go on from what kept() gave, where it is whole and of the same tables."""
        try:
            used = {name: min(max(float(kept["used"][name]), LOW * joules), HIGH * joules) for name, joules in self.table.items()}
            if self.account.restore(kept["account"]) and self.on:
                self.used = used
                self.put()
        except (KeyError, TypeError, ValueError):
            return

    def shown(self):
        """[{name, table_mj, learnt_mj, se_mj, used_mj, trusted}] for each variant; of the base mW."""
        names = self.account.energies()
        return [{"name": name or "base", "table_mj": 1000 * self.table[name], "learnt_mj": 1000 * value, "se_mj": 1000 * error,
                 "used_mj": 1000 * self.used[name], "trusted": self.trusted(name)} for name, (value, error) in names.items()]
