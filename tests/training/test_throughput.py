"""What a training reports of itself: rates, waiting, memory, the share of the peak, and traces."""

import json
import time

import pytest

from jdmri.errors import InputError
from jdmri.training import train
from jdmri.training.throughput import Meter
from jdmri.training.trace import Profile
from tests.helpers.runs import tiny

FIELDS = ("seconds_per_step", "series_per_second", "waiting", "memory_gib", "fraction_of_peak")


def slowly(seconds, count):
    for number in range(count):
        time.sleep(seconds)
        yield number


def test_waiting_and_rates_are_measured():
    meter = Meter(batch_size=3)
    meter.restart()
    for _ in meter.waiting(slowly(0.05, 4)):
        time.sleep(0.05)
        meter.count(1e6)
    values = meter.read(4)
    assert tuple(values) == FIELDS
    assert 0.09 < values["seconds_per_step"] < 0.5
    assert values["series_per_second"] == pytest.approx(3 / values["seconds_per_step"])
    assert 0.2 < values["waiting"] < 0.8
    assert 0 < values["fraction_of_peak"] < 1e-2
    assert meter.read(1)["waiting"] == 0


def test_a_training_writes_what_it_measures_and_traces_the_steps_asked_for(tmp_path):
    folder = tmp_path / "run"
    train.train(tiny(tmp_path), folder, profile="2:4")
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    measured = [r for r in records if r["split"] == "train"]
    assert measured and all(r[name] >= 0 for r in measured for name in FIELDS)
    assert all(0 < r["fraction_of_peak"] < 1 and r["memory_gib"] > 0.1 for r in measured)
    (trace,) = folder.glob("tensorboard/plugins/profile/*/*.xplane.pb")
    assert trace.stat().st_size > 1000


@pytest.mark.parametrize("steps", ["10", "a:b", "5:3", "0:3", "-1:3", "1:2:3"])
def test_a_wrong_profile_is_refused(tmp_path, steps):
    with pytest.raises(InputError, match="FIRST:LAST"):
        Profile(steps, tmp_path)


def test_a_wrong_profile_leaves_no_run_behind(tmp_path):
    with pytest.raises(InputError, match="FIRST:LAST"):
        train.train(tiny(tmp_path), tmp_path / "run", profile="ten")
    assert not (tmp_path / "run").exists()
