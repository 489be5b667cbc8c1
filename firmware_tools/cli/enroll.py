"""heed enroll: let a hub sign for this gateway.

    heed hub token bed-7                # on the hub; prints the line for the gateway
    heed enroll 'https://hub.example:8443/#...' --data heed-data
"""

import click

from firmware_tools.cli import json_option, show


@click.command()
@click.argument("token")
@click.option("--data", default="heed-data", show_default=True, help="the gateway's data folder; key and certificate go there")
@json_option
def enroll(token, data, as_json):
    """Make a key on this device and get a certificate for it with a one-time TOKEN. `heed run` renews it by itself."""
    from gateway import enrolment, tls
    from gateway.identity import Identity
    facts = enrolment.enrol(token, data)
    identity = Identity(data)
    facts.update(cert_file=str(identity.file), ca_file=str(identity.ca_file))
    if as_json:
        return show(facts, True, None)
    click.echo('certificate for "%s", serial %s, until %s' % (facts["gateway"], facts["serial"], tls.utc(facts["to_ms"] / 1000)))
    click.echo('next: in the settings write name = "%(gateway)s" under [gateway], and into the options of the uplink\n'
               '    ca_file = "%(ca_file)s", cert_file = "%(cert_file)s"' % facts)
