"""What a governor says of itself: upstream, and to whoever asks."""

from gateway.core.records import Summary

DAY_MS = 86400000


def summary(governor, wall):
    """What was spent today so far, and by which meter it is known."""
    day, percent = wall // DAY_MS, governor.percent()
    certificates = governor.journal.certificates
    data = {"meter": governor.sources.name, "mj": governor.ledger.total(day), "mj_per_inference": governor.ledger.per_job(day),
            "charge_percent": percent and int(percent), "ladder": governor.ladder.shown(),
            "certificate": certificates[-1] if certificates else None}
    words = "%.1f J today, %.2f J for each inference, by %s" % (data["mj"] / 1000, data["mj_per_inference"] / 1000, data["meter"])
    return Summary(governor.name, "energy", "digest", wall, words, data)


def shown(governor):
    """For `heed energy show`: a JSON-safe dict."""
    policy, plan, day = governor.policy, governor.policy.plan, governor.clock.wall_ms() // DAY_MS
    return {"meter": governor.sources.name, "watts": governor.watts, "board": governor.board["name"], "source": governor.board["source"],
            "charge_percent": governor.percent(), "price": plan.price, "long_run": plan.long_run, "need": plan.need,
            "reserve_mj": plan.reserve, "slow": policy.slow, "ladder": governor.ladder.shown(), "history": governor.ladder.history,
            "today": governor.ledger.days.get(day, {}), "mj_per_inference": governor.ledger.per_job(day),
            "energies": governor.learnt.shown(), "learning": bool(governor.learnt.account.minutes), "devices": governor.devices.shown(),
            "resting": {name: ms for name, ms in sorted(governor.rests.now.items()) if ms},
            "certificates": governor.journal.certificates[-7:], "off": sorted(policy.off), "lost": sorted(policy.lost)}
