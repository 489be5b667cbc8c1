"""The same on real patients: labels of the first five minutes, judged on the rest."""

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


def test_a_doubted_patient_is_learnt_once_somebody_answers(ward):
    (patient,), right, raised = patients_of(ready("ecg", "float"), ("213",)), [], 0
    for answers in (False, True):
        bedside = Bedside(patient, ward[1], ward[2])
        alarms = Alarms(bedside.learner.store)
        for _ in range(20):
            bedside.asked()
            if answers and alarms.open("213"):
                alarms.confirm("213", "clinician")
                bedside.learner.learn("213")
        raised += len(alarms.history("213"))
        right.append(np.trace(bedside.table()))
        bedside.close()
    assert raised and right[1] > right[0]


@pytest.mark.parametrize("kind", POISONS)
def test_poison_costs_less_than_a_hundredth(ward, kind):
    before, after = pooled(judged(ward, 0)), pooled(judged(ward, 20, kind))
    assert after["macro_f1_nsv"] >= before["macro_f1_nsv"] - .01
