"""Fields of ``data`` that a command sets in vain are refused."""

import sys

import pytest
from absl import flags
from ml_collections import ConfigDict, config_flags

from configs import default, dual_unet
from jdmri.data import fields
from jdmri.errors import InputError


def check(typed, config=None):
    """Check what ``--config.FIELD=VALUE`` sets, as the command line does."""
    values = flags.FlagValues()
    words = [f"--config.{field}" for field in typed]
    config = config or default.get_config()
    config_flags.DEFINE_config_dict("config", config, flag_values=values, sys_argv=words)
    values([sys.argv[0], *words])
    place, run = ("base.data", config.base) if "base" in config else ("data", config)
    fields.check_typed({place: run.data.name}, values["config"].override_values)


@pytest.mark.parametrize(
    "typed",
    [
        (),
        ("data.num_frames=12", "data.matrix=16,18", "seed=3"),
        ("data.name=npz", "data.path=x.npz", "data.phase=polynomial", "data.cyclic=False"),
        ("data.name=fastmri", "data.path=x.h5", "data.cyclic=False", "data.reference=rss"),
        ("data.name=store", "data.path=x.h5", "train.num_epochs=2"),
    ],
)
def test_fields_that_the_reader_takes_may_be_typed(typed):
    check(typed)
    check(typed, dual_unet.get_config())  # it sets fields of the phantom, whatever is typed
    study = ConfigDict({"base": default.get_config()})
    check([f"base.{field}" for field in typed], study)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("data.name=npz", "data.num_frames=12"), "reader 'npz' does not take num_frames; it takes: path, phase_enc"),
        (("data.path=cine.npz",), r"'phantom' does not take path; it takes: num_series, .*\. Remove --config.data.path"),
        (("data.name=store", "data.phase=none"), "'store' does not take phase; it takes: path, cyclic"),
        (("data.name=npz", "data.matrix=9,9", "data.seed=1"), "does not take matrix, seed"),
        (("data.name=nzp", "data.path=x"), "unknown data reader 'nzp'"),
    ],
)  # fmt: skip
def test_fields_typed_in_vain_are_refused(typed, message):
    with pytest.raises(InputError, match=message) as caught:
        check(typed)
    assert "\n" not in str(caught.value)
    study = ConfigDict({"base": default.get_config()})
    with pytest.raises(InputError, match=message.replace("--config.data", "--config.base.data")):
        check([f"base.{field}" for field in typed], study)
