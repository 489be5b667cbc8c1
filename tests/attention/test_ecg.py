"""The same on real patients: labels of the first five minutes, judged on the rest."""

import time

import numpy as np
import pytest

from firmware_tools.bench.adapt_ecg import POISONS, pooled, wrong_by
from firmware_tools.bench.patients import Bedside, patients_of
from firmware_tools.evaluate import ready
from gateway.attention.alarms import Alarms
from models.package import Package, folder_of
from models.twin import Twin

RECORDS = ("231", "221", "123")


@pytest.fixture(scope="module")
def ward():
    from gateway import data
    if not data.find("ecg/mitdb"):
        pytest.skip("no MIT-BIH records here: heed data fetch ecg/mitdb, or set HEED_DATA")
    package = Package(folder_of("ecg"))
    return patients_of(ready("ecg", "float"), RECORDS), Twin(package), package.anchors()


def judged(ward, labels, wrong=None):
    """{record: confusion} after so many labels, each made wrong by `wrong`."""
    tables = {}
    for patient in ward[0]:
        bedside = Bedside(patient, ward[1], ward[2], wrong and wrong_by(wrong, np.random.default_rng(int(patient.name))))
        for _ in range(labels):
            bedside.asked()
        tables[patient.name] = bedside.table()
        bedside.close()
    return tables


def test_ten_labels_mend_what_they_can_and_spoil_nothing(ward):
    before, after = judged(ward, 0), judged(ward, 10)
    assert after["231"][0, 1] < before["231"][0, 1] / 2  # normal beats called supraventricular
    assert all(np.trace(after[name]) >= np.trace(before[name]) - 2 for name in RECORDS)


def test_a_patient_of_whom_wrong_labels_were_denied_is_learnt_from_right_ones(ward):
    patient = next(patient for patient in ward[0] if patient.name == "231")
    bedside = Bedside(patient, ward[1], ward[2], wrong_by("all flipped", np.random.default_rng(1)))
    before, alarms = bedside.table(), Alarms(bedside.learner.store)
    while not alarms.open("231"):
        assert bedside.asked() and bedside.given < 30
    assert (bedside.table() == before).all()
    alarms.deny("231", "clinician")
    bedside.wrong = None
    time.sleep(.01)  # what is said within the millisecond of the answer is denied as well
    for _ in range(10):
        bedside.asked()
    assert bedside.table()[0, 1] < before[0, 1] / 2 and alarms.open("231") == []
    bedside.close()


@pytest.mark.parametrize("kind", POISONS)
def test_poison_costs_less_than_a_hundredth(ward, kind):
    before, after = pooled(judged(ward, 0)), pooled(judged(ward, 20, kind))
    assert after["macro_f1_nsv"] >= before["macro_f1_nsv"] - .01
