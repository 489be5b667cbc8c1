"""Benchmarks print one object with the keys that others rely on."""

import json

import pytest
from click.testing import CliRunner

from firmware_tools.bench.adapt_fleet import GATEWAYS, met_by_late
from firmware_tools.cli import main

TRAFFIC = {"traffic_mae_real", "traffic_mae_all", "traffic_ridge60_mae_real", "traffic_ridge60_mae_all", "traffic_stored_numbers",
           "traffic_single_mae_real", "incident_windows_found", "incident_false_per_day", "incident_median_delay_min"}
KEYS = {"pipeline": {"path_over_bare", "streams_realtime_per_core", "stream_cost_100_over_1", "rss_mb", "first_inference_s",
                     "outbox_records_per_s", "kill_runs", "kill_lost"},
        "models": {"ecg_sveb_f1", "ecg_veb_f1", "ecg_f_f1", "ecg_macro_f1_nsv", "ecg_sveb_f1_without_232", "ecg_false_alarms_per_hour",
                   "ecg_parameters", "ecg_int8_loss", "ecg_qrs_se", "ecg_qrs_pp", "ecg_end_to_end_sveb_f1", "ecg_end_to_end_veb_f1",
                   "stream_gain_32", "stream_gain_128", "stream_gain_512", "control_cost", "call_overhead", "vision_accuracy_int8",
                   "vision_conv_accuracy_int8", "vision_resnet8_accuracy", "vision_parameters", "video_tile_share", "video_f1",
                   "video_time_gain"} | TRAFFIC,
        "traffic": TRAFFIC,
        "energy": {"u_over_oracle_mean", "u_over_oracle_worst", "headroom_mean", "headroom_worst", "critical_missed", "brownouts",
                   "over_static_mid_pp", "over_thresholds_pp", "over_alert_pp", "over_lyapunov_pp", "over_best_static_pp",
                   "certificate_valid", "certificate_gap_pp", "planner_ms", "decision_us", "windows", "windows_infeasible"}}


@pytest.mark.parametrize("name", KEYS)
def test_keys_are_stable(name, mitdb, traffic):
    result = CliRunner().invoke(main, ["bench", name, "--quick", "--json"])
    facts = json.loads(result.output)
    assert set(facts) == {"bench", "figures", "gates", "baselines", "environment", "seconds"}
    assert KEYS[name] <= set(facts["figures"])
    assert all(isinstance(value, (int, float)) for value in facts["figures"].values())
    assert result.exit_code == (0 if all(gate["met"] for gate in facts["gates"]) else 1)


@pytest.mark.parametrize("patients", [4, 21, 22])
def test_a_late_joiner_meets_as_many_others_as_there_may_be_and_never_itself(patients):
    pairs = met_by_late(list(range(patients)))
    assert [late for late, _ in pairs] == list(range(patients))
    assert all(len(set(there)) == len(there) == min(GATEWAYS, patients - 1) and late not in there for late, there in pairs)
