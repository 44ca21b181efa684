"""Plugins of configs: where they are written, and configs that are older than the field."""

import sys

import pytest

from configs import classical, default
from configs.studies import losses, search
from jdmri.command_line import parser
from jdmri.runtime import files
from jdmri.studies import tune
from jdmri.training import workdir


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A plugin beside a config that is not in the current folder."""
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "mine_of_config.py").write_text("")
    (tmp_path / "place" / "config.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield str(tmp_path / "place" / "mine_of_config.py")
    sys.modules.pop("mine_of_config", None)


@pytest.mark.parametrize("make", [losses.get_config, search.get_config, classical.get_config])
def test_the_plugins_of_a_study_are_those_of_its_runs(plugin, make):
    config = make()
    config.plugins, config.base.plugins = ("mine_of_config.py",), ("json",)
    parser.import_plugins(config, ["jdmri", "--config=place/config.py:quick"])
    assert config.plugins == config.base.plugins == (plugin, "json")
    assert "mine_of_config" in sys.modules


def test_a_package_in_the_current_folder_is_found(plugin, tmp_path, monkeypatch):
    (tmp_path / "mine_package").mkdir()
    (tmp_path / "mine_package" / "part.py").write_text("")
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", str(tmp_path))])
    config = default.get_config()
    config.plugins = ("mine_package.part",)
    parser.import_plugins(config, ["jdmri"])
    assert config.plugins == ("mine_package.part",)
    assert sys.modules.pop("mine_package.part") and sys.modules.pop("mine_package")


def older(config):
    """A config as runs wrote it before there were plugins."""
    tree = config.to_dict()
    for section in (tree, tree.get("base", {})):
        section.pop("plugins", None)
    return tree


def test_a_run_without_the_field_goes_on(tmp_path):
    files.write_json(tmp_path / "config.json", older(default.get_config()))
    assert workdir.load_config(tmp_path).plugins == ()
    workdir.open_run(tmp_path, default.get_config())
    assert files.read_json(tmp_path / "config.json")["plugins"] == []


def test_a_study_and_a_tuning_without_the_field_go_on(tmp_path):
    study = losses.get_config("quick")
    files.write_json(tmp_path / workdir.STUDY, older(study))
    stored = workdir.read_config(tmp_path, workdir.STUDY).to_dict()
    assert not workdir.differences(stored, study.to_dict())
    tuning = classical.get_config()
    settings = tune._settings(tuning) | {"base": older(tuning.base)}
    files.write_json(tmp_path / tune.TABLE, {"settings": settings, "entries": [{}]})
    assert tune._begun(tmp_path / tune.TABLE, tuning) == [{}]
