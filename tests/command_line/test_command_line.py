"""The table of modes: flags, help and configs that go with them; errors in one line."""

import jax
import numpy as np
import pytest

from configs import default
from jdmri import main
from jdmri.command_line import options
from jdmri.command_line.modes import MODES, Mode
from jdmri.errors import InputError
from jdmri.runtime import files

DEMO = "--config=configs/demo.py"
QUICK = ("--mode=study", "--config=configs/studies/losses.py:quick")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((DEMO, "--num_series=3"), "--num_series belongs to --mode=reader and phantom; remove it or choose another mode than train."),
        ((DEMO, "--mode=evaluate", "--noextend"), "--extend belongs to --mode=train; remove it"),
        ((*QUICK, "--checkpoint=best"), "--checkpoint belongs to --mode=train, evaluate and reconstruct;"),
        (("--mode=doctor",), "--mode=doctor needs --input="),
        (("--mode=convert", "--input=a", "--output="), "--mode=convert needs --output="),
        ((*QUICK, "--distributed=host:1,2,0"), "--distributed goes with --mode=train, evaluate or reconstruct, not study"),
        ((DEMO, "--mode=fly"), "--mode must be one of train, evaluate, .*; got 'fly'"),
        ((DEMO, "--mode=study"), "this is the config of a run; it goes with --mode=train, .* or reconstruct, not --mode=study"),
        ((), "--config=configs/demo.py to train, or --workdir=runs/demo"),
        (("--workdir=nowhere", "--mode", "evaluate"), "no run in nowhere"),
        ((DEMO, "stray"), "unknown argument 'stray'"),
        ((DEMO, "--config.train.num_step=3"), "no config field 'num_step' Did you mean \"num_steps\""),
        ((DEMO, "--config.trains.num_steps=3"), "no config field 'trains' Did you mean \"train\""),
        ((DEMO, "--config.train.num_steps=many"), "many"),
        (("--mode=reconstruct", "--workdir=run", "--method=llr", "--input=a", "--output=b.npz"), "--method goes without a workdir"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(run, tmp_path, words, message):
    files.write_json(tmp_path / "run" / "config.json", default.get_config().to_dict())
    with pytest.raises(InputError, match=message) as caught:
        run(*words)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def get_config():\n    return None + 1\n", r"^mine\.py:2: TypeError: unsupported operand"),
        ("import configs\nx = configs.nothing\n", r"^mine\.py:2: AttributeError: "),
        ("def get_config(:\n", r"^mine\.py:1: SyntaxError: invalid syntax$"),
        ("def get_config():\n    return {}\n", "must return a ConfigDict, got dict"),
        ("from configs import cascade\ndef get_config():\n    return cascade.get_config('x')\n", "^cascade.py takes a number"),
        ("def get_config(size):\n    return 1\n", "needs an argument, :ARGUMENT"),
        ("x = 1\n", "^mine.py: AttributeError: .* no attribute 'get_config'"),
    ],
)  # fmt: skip
def test_an_error_in_a_config_is_told_with_its_line(run, tmp_path, text, message):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(InputError, match=message):
        run("--config=mine.py")


def test_a_config_that_takes_no_argument_refuses_one(run):
    with pytest.raises(InputError, match=r"demo\.py takes no :large; it has get_config\(\)"):
        run(DEMO + ":large")


def test_help_lists_every_mode_with_its_flags():
    text = options.help_text()
    for name, mode in MODES.items():
        assert f"--mode={name} {mode.example}" in text
        assert mode.help in text and all(f"--{flag}" in text for flag in mode.flags)
        assert set(mode.needs) <= set(mode.flags)


@pytest.mark.parametrize("word", ["--help", "-h", "--helpshort"])
def test_help_needs_nothing_else(run, capsys, word):
    with pytest.raises(SystemExit) as ended:
        run(word, "--mode=study")
    assert ended.value.code == 0 and options.help_text() in capsys.readouterr().out


def test_the_users_own_place_of_compiled_programs_is_kept(monkeypatch, tmp_path):
    set_here = {}
    monkeypatch.setattr(jax.config, "update", set_here.__setitem__)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("JAX_COMPILATION_CACHE_DIR", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"):
        monkeypatch.delenv(name, raising=False)
    main.keep_compiled()
    assert set_here.pop("jax_compilation_cache_dir") == str(tmp_path / "jdmri" / "xla")
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "mine")
    main.keep_compiled()
    assert "jax_compilation_cache_dir" not in set_here


def test_a_mode_is_one_row(run, monkeypatch):
    def count(config, folder, *, num_series):
        return f"{config.data.name} {folder} {num_series}"

    monkeypatch.setitem(MODES, "count", Mode(count, "Count.", DEMO))
    assert run("--mode=count", DEMO, "--num_series=4") == "phantom runs/demo 4\n"
    assert run("--mode", "count", "--config.data.name=npz", "--config", "configs/demo.py") == "npz runs/demo 6\n"  # fmt: skip
    with pytest.raises(InputError, match="reader, phantom and count"):
        run("--num_series=4", DEMO)
    assert "Count." in options.help_text()


def test_a_scan_needs_no_config(run, tmp_path):
    np.savez(tmp_path / "a.npz", dataset=np.ones((1, 4, 16, 16), np.float32))
    assert "a.npz" in run("--mode=doctor", "--input=a.npz")
