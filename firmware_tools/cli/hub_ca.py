"""heed hub init, token, certificates, revoke: who may send to this hub.

    heed hub init --url https://hub.example:8443
    heed hub run --ca hub-ca --listen 0.0.0.0:8443
    heed hub token bed-7
    heed hub revoke bed-7
"""

import click

from firmware_tools.cli import grid, json_option, show

ca_option = click.option("--ca", default="hub-ca", show_default=True, help="folder of the hub's certificate authority")


def register_of(ca):
    """The register of a folder. Raises HeedError."""
    from gateway.hub.ca import Authority
    from gateway.hub.register import Register
    return Register(Authority(ca))


@click.command()
@ca_option
@click.option("--url", required=True, help="where gateways reach this hub, for example https://hub.example:8443")
@click.option("--host", "hosts", multiple=True, help="further name or address of this hub or of its broker")
@json_option
def init(ca, url, hosts, as_json):
    """Make a certificate authority, certificates for hub and broker, and settings for Mosquitto."""
    from gateway.enrolment import host_port
    from gateway.hub import enrolment
    host, port = host_port(url)
    authority = enrolment.make(ca, url, [host, *hosts])
    facts = {"folder": ca, "fingerprint": authority.fingerprint(), "url": url, "port": port}
    if as_json:
        return show(facts, True, None)
    click.echo("authority %(fingerprint)s\nin %(folder)s: keep ca.key safe, it can let anybody in; broker/mosquitto.conf is for Mosquitto\n"
               "next: heed hub run --ca %(folder)s --listen 0.0.0.0:%(port)d, then heed hub token NAME --ca %(folder)s" % facts)


@click.command()
@click.argument("gateway")
@ca_option
@click.option("--hours", default=24.0, show_default=True, help="how long it can be used, once")
@json_option
def token(gateway, ca, hours, as_json):
    """A one-time token that lets a new gateway in under the name GATEWAY."""
    from gateway.enrolment import token_of
    from gateway.hub.enrolment import hub_of
    register, url = register_of(ca), hub_of(ca)["url"]
    facts = {"gateway": gateway, "token": token_of(url, register.authority.fingerprint(), register.token(gateway, hours)), "hours": hours}
    if as_json:
        return show(facts, True, None)
    click.echo("for %(gateway)s, within %(hours)g hours, on the gateway itself:\nheed enroll '%(token)s'" % facts)


@click.command()
@ca_option
@json_option
def certificates(ca, as_json):
    """All certificates that this hub gave out, the newest first."""
    from gateway.tls import utc
    rows = register_of(ca).certificates()
    show({"certificates": rows}, as_json, lambda facts: [grid("%d certificates" % len(rows), (
        "gateway", "state", "until", "by", "from", "serial"), [
        (r["gateway"], r["state"], utc(r["to_ms"] / 1000)[:10], r["how"], r["address"], r["serial"]) for r in rows])])


@click.command()
@click.argument("what")
@ca_option
@json_option
def revoke(what, ca, as_json):
    """Put out a gateway by its NAME, or one certificate by its SERIAL."""
    register = register_of(ca)
    facts = {"revoked": register.revoke(what), "crl": str(register.authority.crl_file)}
    show(facts, as_json, lambda facts: ["revoked %d certificates; the hub's HTTPS refuses them from now on" % len(facts["revoked"]),
                                        "next: make the broker read %s again, for Mosquitto: systemctl restart mosquitto" % facts["crl"]])
