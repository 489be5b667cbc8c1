"""What runs on a hub for each message of a federation: Flower's ClientApp. It stands for the hub's cohort."""

import json
import os
from contextlib import contextmanager

from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

from gateway.core.errors import Rejected
from gateway.hub.app import store_of
from gateway.hub.cohort import Cohort

HUB = "HEED_FEDERATE"  # environment variable: JSON of the hub's database and its least cohort; a database's password is no argument
app = ClientApp()


@contextmanager
def asked(message):
    """(Cohort, state of the federation, settings of the run) of a message."""
    hub, sent = json.loads(os.environ[HUB]), json.loads(message.content["config"]["json"])
    state = dict(sent["state"], vector=message.content["arrays"]["state"].numpy().tolist())
    store = store_of(hub["database"])
    store.open()
    try:
        yield Cohort(store, state["package"], hub["least"]), state, sent
    finally:
        store.close()


@app.train()
def train(message, context):
    """Take what the federation has, and answer with what the cohort has moved since, or why there is nothing to tell."""
    try:
        with asked(message) as (cohort, state, sent):
            cohort.take(state)
            hub, number, vector, gateways = cohort.answer(state, sent["clip"])
    except Rejected as error:
        return Message(RecordDict({"hub": ConfigRecord({"why": error.message})}), reply_to=message)
    return Message(RecordDict({"arrays": ArrayRecord({"moved": Array(vector)}), "metrics": MetricRecord({"gateways": gateways}),
                               "hub": ConfigRecord({"name": hub, "number": number})}), reply_to=message)


@app.evaluate()
def evaluate(message, context):
    """Take what the round has made of all answers."""
    with asked(message) as (cohort, state, _):
        cohort.take(state)
        held = cohort.held["version"]
    return Message(RecordDict({"metrics": MetricRecord({"gateways": 1, "version": held})}), reply_to=message)
