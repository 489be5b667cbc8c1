"""Async tests run as they are; recordings that are absent skip with how to get them."""

import asyncio
import inspect

import pytest

from gateway import data


def pytest_pyfunc_call(pyfuncitem):
    """Run `async def test_*`, which the portable tests share with MicroPython."""
    if inspect.iscoroutinefunction(pyfuncitem.obj):
        names = pyfuncitem._fixtureinfo.argnames
        asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
        return True
    return None


@pytest.fixture
def mitdb():
    """Folder of the MIT-BIH records."""
    folder = data.find("ecg/mitdb")
    if not folder:
        pytest.skip("no MIT-BIH records here: heed data fetch ecg/mitdb, or set HEED_DATA")
    return folder


@pytest.fixture
def traffic():
    """Folder of the traffic series."""
    folder = data.find("traffic")
    if not folder:
        pytest.skip("no traffic series here: heed data fetch traffic/pems08, traffic/nab-realtraffic, or set HEED_DATA")
    return folder
