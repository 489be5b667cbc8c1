"""What runs beside the flow where settings or files ask for it: learning, certificates, energy, metrics.

Each is imported when it is asked for: most gateways have none of them, and small ones feel what an import costs.
"""

from gateway.context import GatewayContext


def governor(config, folder, offer):
    """The energy policy, or None where the settings have no [energy]. offer: takes its summaries."""
    if not config.energy:
        return None
    from gateway.energy.governor import Governor
    return Governor(config.energy, folder, GatewayContext("energy", folder), config.gateway["name"], offer)


def services(gateway):
    """(name, run(up), function that gives its counters) of each child of the supervisor that this gateway needs."""
    if gateway.attention.learners or gateway.attention.reports:
        yield "attention", gateway.attention.run, gateway.attention.counts
    if (gateway.folder / "identity" / "hub.json").exists():
        from gateway.enrolment import Renewal
        renewal = Renewal(gateway.folder)
        yield "certificate", renewal.run, lambda: renewal.counters
    if gateway.energy:
        gateway.status.energy = gateway.energy.shown
        yield "energy", gateway.energy.run, gateway.energy.counted
    if gateway.config.gateway["metrics_port"]:
        from gateway.metrics import Metrics
        yield "metrics", Metrics(gateway.status, gateway.config.gateway["metrics_port"]).run, dict
