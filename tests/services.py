"""Real brokers and databases for tests; one that is not installed skips, with one line that says how to get it."""

import pytest

from firmware_tools import services
from gateway.core.errors import HeedError


def installed(kind, program, **given):
    """A fixture's service of a kind, or a skip."""
    try:
        services.program(program)
    except HeedError as error:
        pytest.skip("%s: %s" % (error.message, error.hint))
    return kind(**given)


@pytest.fixture
def mosquitto():
    with installed(services.Mosquitto, "mosquitto") as service:
        yield service


@pytest.fixture(scope="session")
def postgres():
    with installed(services.Postgres, "initdb") as service:
        yield service
