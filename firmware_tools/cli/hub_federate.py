"""heed hub federate: this hub among others, on Flower; in an environment of its own, and never on a gateway.

    heed hub federate --superlink federation.example:8000 --root-certificates ca.pem
    heed hub federate --superlink 127.0.0.1:8000 --insecure
    flwr run "$(heed hub federate --app)" NAME --stream      # the coordinator's part: docs/scaling.md
"""

import os
import sys
from importlib.util import find_spec

import click

from firmware_tools.services import free_port
from gateway.core.errors import ConfigError, HeedError

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def where(context, option, wanted):
    """Print the folder of the Flower app and end."""
    if wanted:
        from gateway.hub.flower.node import APP
        click.echo(APP)
        context.exit()


@click.command()
@click.option("--superlink", required=True, metavar="HOST:PORT", help="SuperLink of the federation")
@click.option("--database", default="hub.db", show_default=True, help="of the hub that stands in the federation; it may be running")
@click.option("--least", default=3, show_default=True, type=click.IntRange(1), help="gateways in a round without which nothing leaves")
@click.option("--root-certificates", "roots", default="", help="authority of the SuperLink (PEM); without it those of the system")
@click.option("--insecure", is_flag=True, help="no TLS: on the loopback only")
@click.option("--key", default="", help="private key that the SuperLink knows this hub by (OpenSSH, elliptic curve)")
@click.option("--app", is_flag=True, is_eager=True, expose_value=False, callback=where, help="print the folder that `flwr run` wants")
def federate(superlink, database, least, roots, insecure, key):
    """Join hubs that learn together, until SIGTERM or Ctrl-C."""
    from firmware_tools.cli.hub import address
    host, _ = address(superlink, "--superlink")
    if insecure and (host not in LOOPBACK or roots or key):
        raise ConfigError("--insecure with --superlink %s" % superlink, "give --root-certificates; without TLS on the loopback only, and no --key")
    for path in filter(None, (roots, key, *([] if "://" in database else [database]))):
        if not os.path.isfile(path):
            raise ConfigError("there is no file %s" % path, "--database is what `heed hub run --rounds` writes")
    if find_spec("flwr") is None:
        raise HeedError("Flower is not installed beside %s" % sys.executable, "it pins what it needs exactly, give it an environment of its own: "
                        "python3 -m venv heed-flower && heed-flower/bin/pip install 'heed-gateway[flower]'; then heed-flower/bin/heed hub federate")
    from gateway.hub.app import store_of
    from gateway.hub.flower.node import serve
    store = store_of(database)  # a wrong one is told of here, not to the federation
    store.open()
    store.close()
    serve(superlink, free_port(), {"database": database, "least": least}, insecure, roots, key)
