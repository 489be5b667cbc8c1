"""What runs beside the flow where settings or files ask for it: learning, certificates, energy, metrics, the page.

Each is imported when it is asked for: most gateways have none of them, and small ones feel what an import costs.
"""

from gateway.context import GatewayContext


def governor(config, folder, outbox):
    """The energy policy with its switches, or None where the settings have no [energy]. outbox: takes its summaries."""
    if not config.energy:
        return None
    from gateway.energy.governor import Governor
    made = Governor(config.energy, folder, GatewayContext("energy", folder), config.gateway["name"], outbox.offer)
    made.devices.fit(made, outbox, [uplink.name for uplink in config.uplinks if uplink.far])
    return made


def services(gateway):
    """(name, run(up), function that gives its counters) of each child of the supervisor that this gateway needs."""
    if gateway.attention.learners or gateway.attention.keepers or gateway.attention.reports:
        yield "attention", gateway.attention.run, gateway.attention.counts
    if (gateway.folder / "identity" / "hub.json").exists():
        from gateway.enrolment import Renewal
        renewal = Renewal(gateway.folder)
        yield "certificate", renewal.run, lambda: renewal.counters
    if gateway.energy:
        gateway.status.energy = gateway.energy.shown
        yield "energy", gateway.energy.run, gateway.energy.counted
        if gateway.energy.devices.switches:
            yield "switches", gateway.energy.devices.switches.run, dict
    if gateway.config.gateway["metrics_port"]:
        from gateway.metrics import Metrics
        yield "metrics", Metrics(gateway.status, gateway.config.gateway["metrics_port"]).run, dict
    if gateway.config.web:
        from gateway.web.site import Site
        site = Site(gateway.config.web, gateway.folder, gateway.status, gateway.attention.doors)
        yield "web", site.run, lambda: site.counters
