"""heed hub: the far end, for those who have none. Certificates: see firmware_tools.cli.hub_ca; hubs among hubs: hub_federate.

    heed hub run --listen 127.0.0.1:8080
    heed hub run --mqtt mqtt://localhost --database postgresql://localhost/heed
    heed hub gateways --database hub.db
"""

import logging
import os

import click

from firmware_tools.cli import grid, hub_ca, hub_federate, json_option, show
from gateway.core.errors import ConfigError

database_option = click.option("--database", default="hub.db", show_default=True, help="SQLite file, or postgresql://user@host/name")


@click.group()
def hub():
    """Take in what gateways send: by HTTP, by MQTT, into SQLite or PostgreSQL."""


for command in (hub_ca.init, hub_ca.token, hub_ca.certificates, hub_ca.revoke, hub_federate.federate):
    hub.add_command(command)


def address(text, option="--listen"):
    """(host, port) of "host:port"."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not host:
        raise ConfigError("%s %s" % (option, text), "write host:port, for example 127.0.0.1:8080")
    return host.strip("[]"), int(port)


@hub.command()
@database_option
@click.option("--listen", default="127.0.0.1:8080", show_default=True, help="host:port for HTTP; off the loopback only with --cert")
@click.option("--mqtt", "broker", default="", help="broker to listen at, for example mqtts://localhost:8883")
@click.option("--group", default="", help="share the broker's load with other workers of this group (MQTT 5)")
@click.option("--name", default="heed-hub", show_default=True, help="of this worker; each needs its own")
@click.option("--token-env", default="HEED_HUB_TOKEN", show_default=True, help="environment variable with the token that gateways show")
@click.option("--ca", default="", help="folder of `heed hub init`: HTTPS and enrolment, with certificates of its own")
@click.option("--days", default=30, show_default=True, type=click.IntRange(1, 3650), help="life of a gateway's certificate, with --ca")
@click.option("--cert", default="", help="certificate of this hub (PEM), for HTTPS")
@click.option("--key", default="", help="its private key")
@click.option("--client-ca", default="", help="authority whose certificates gateways must show")
@click.option("--crl", default="", help="its revocation list (PEM)")
@click.option("--rounds", "rounds_file", default="", help="TOML file: let gateways learn together (docs/adaptation.md)")
def run(database, listen, broker, group, name, token_env, ca, days, cert, key, client_ca, crl, rounds_file):
    """Run a hub until SIGTERM or Ctrl-C."""
    from gateway.hub import app
    where = address(listen)
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    enrolment, revoked = None, None
    if ca:
        from gateway.hub.enrolment import Enrolment
        enrolment = Enrolment(ca, days)
        cert, key, client_ca = enrolment.tls
    elif crl:
        from gateway.hub.ca import Revoked
        revoked = Revoked(crl)
    refuse_open_door(listen, where, cert, client_ca, crl)
    options = {"url": broker, "user": os.environ.get("HEED_MQTT_USER", ""), "password_env": "HEED_MQTT_PASSWORD", "ca_file": client_ca,
               "cert_file": cert, "key_file": key, "timeout_s": 10} if broker else None
    made = app.Hub(database, where, options, name, group, os.environ.get(token_env, ""), (cert, key, client_ca or None) if cert else None,
                   enrolment, revoked, rounds_of(rounds_file) if rounds_file else None)
    app.serve(made, lambda hub: click.echo("hub listens on %s:%d%s\nnext: heed hub gateways --database %s" % (
        where[0], hub.port, " and at " + broker if broker else "", database)))


def rounds_of(path):
    """The Rounds of a TOML file. Raises ConfigError with every fault."""
    import tomllib
    from gateway.core.options import check_options
    from gateway.hub.rounds import SETTINGS, Rounds
    try:
        with open(path, "rb") as file:
            values, faults = check_options(SETTINGS, tomllib.load(file))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError("%s: %s" % (path, error), "write a TOML file; an empty one takes the defaults")
    if faults:
        raise ConfigError("\n".join('%s: "%s" %s' % (path, name, problem) for name, problem, _ in faults), faults[0][2])
    return Rounds(values)


def refuse_open_door(listen, where, cert, client_ca, crl):
    """Raise ConfigError for what would look locked and is not."""
    if where[0] not in ("127.0.0.1", "::1", "localhost") and not cert:
        raise ConfigError("HTTP in the clear on %s" % listen,
                          "give --ca, or --cert and --key, or listen on 127.0.0.1 behind a proxy that has TLS")
    if crl and not client_ca:
        raise ConfigError("--crl without --client-ca", "name the authority that the list belongs to")
    if crl and not os.path.isfile(crl):
        raise ConfigError("there is no revocation list %s" % crl, "without it nobody could be let in")


@hub.command()
@database_option
@json_option
def gateways(database, as_json):
    """Who sent what: marks, and what is missing."""
    from gateway.hub.app import store_of
    store = store_of(database)
    store.open()
    facts = {"gateways": store.gateways(), "records": store.totals()[0]}
    show(facts, as_json, lambda facts: [grid("%d records" % facts["records"], ("gateway", "epoch", "up to", "missing", "holes", "batches"), [
        (g["gateway"], g["epoch"], g["mark"], g["missing"], g["holes"], g["batches"]) for g in facts["gateways"]])])
