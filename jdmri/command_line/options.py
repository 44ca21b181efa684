"""The flags of all modes: their definition, which belong to the chosen mode, and ``--help``."""

from collections.abc import Mapping, Sequence
from typing import Any

from absl import flags

from jdmri.command_line.modes import MODES, choose
from jdmri.errors import InputError

COMMON = ("mode", "config", "workdir", "distributed")
_WIDTH = 14  # of the first column of the help
_ABOUT = """Train and evaluate dynamic MRI reconstruction.

    python -m jdmri.main --mode=MODE --config=FILE[:ARGUMENT] [--config.FIELD=VALUE …] [--workdir=FOLDER]

The same command again resumes. Exit codes: 0 done, 2 bad input (one line says what to change),
75 stopped by a signal after saving (the same command continues)."""
_CONFIG = (
    "Config file[:argument]; --config.FIELD=VALUE changes a field. Default: that of --workdir."
)

flags.DEFINE_string("mode", "train", "What to do.")
flags.DEFINE_string("workdir", None, "Folder of the run; default runs/<config>[-argument].")
flags.DEFINE_string(
    "distributed",
    "auto",
    "Several processes as one: auto (as SLURM or Open MPI say), off, or HOST:PORT,n,i.",
)
flags.DEFINE_string(
    "checkpoint", None, "best, latest or a step. Default: latest to train on, best to evaluate."
)
flags.DEFINE_string("split", "test", "What to evaluate: train, validation or test.")
flags.DEFINE_bool("extend", False, "Train a shorter run on to the length of the config.")
flags.DEFINE_string(
    "profile", "", "FIRST:LAST: trace these training steps, counted from the first of this command."
)
flags.DEFINE_string("shard", "1/1", "i/n: this worker's part of the runs.")
flags.DEFINE_bool("dry_run", False, "List the runs and their time.")
flags.DEFINE_string("input", None, "A file or folder to read.")
flags.DEFINE_string("output", None, "A file or folder to write.")
flags.DEFINE_integer("num_series", 6, "How many subjects or cases.")
flags.DEFINE_list("answers", None, "The readers' CSV files, to be analysed.")
flags.DEFINE_string(
    "method",
    None,
    "A method by name, where no --workdir is given; flagship is the trained network of the package. Default: cg_sense.",
)


def check(name: str, given: Mapping[str, Any]) -> None:
    """Refuse flags that do not belong to a mode, and the lack of those that it needs.

    Args:
        name: of the mode.
        given: flags on the command line, with their values.

    Raises:
        InputError: naming the flag and what to do.
    """
    mode = choose(name)
    for flag in [flag for flag in given if flag not in (*COMMON, *mode.flags)]:
        owners = [other for other, row in MODES.items() if flag in row.flags]
        if owners:  # others are flags of absl and JAX
            raise InputError(
                f"--{flag} belongs to --mode={listed(owners, 'and')}; remove it or choose another mode than {name}."
            )
    for flag in mode.needs:
        if not given.get(flag):
            raise InputError(f"--mode={name} needs --{flag}=, a file or a folder.")
    if "," in given.get("distributed", "") and not mode.distributed:
        able = [other for other, row in MODES.items() if row.distributed]
        raise InputError(f"--distributed goes with --mode={listed(able, 'or')}, not {name}.")


def given() -> dict[str, Any]:
    """Return the flags on the command line, with their values."""
    return {name: flags.FLAGS[name].value for name in flags.FLAGS if flags.FLAGS[name].present}


def values(name: str) -> dict[str, Any]:
    """Return the values of the flags that belong to a mode, given or not."""
    return {flag: flags.FLAGS[flag].value for flag in MODES[name].flags}


def help_text() -> str:
    """Write what ``--help`` prints: the modes with their flags, then the flags."""
    lines = [_ABOUT, "", "Modes:", ""]
    for name, mode in MODES.items():
        own = [flag for flag in mode.flags if flag not in COMMON]
        lines.append(f"  {name:{_WIDTH}}{mode.help}")
        lines.append(f"  {'':{_WIDTH}}--mode={name} {mode.example}")
        if own:
            lines.append(f"  {'':{_WIDTH}}flags: {' '.join(f'--{flag}' for flag in own)}")
    every = dict.fromkeys([*COMMON, *(flag for mode in MODES.values() for flag in mode.flags)])
    lines += ["", f"Flags ({', '.join(f'--{flag}' for flag in COMMON)} go with every mode):", ""]
    lines += [f"  {'--' + flag:{_WIDTH}}{_help(flag)}" for flag in every]
    return "\n".join(lines)


def _help(flag: str) -> str:
    return _CONFIG if flag == "config" else flags.FLAGS[flag].help


def listed(names: Sequence[str], word: str) -> str:
    """Join names: ``a, b WORD c``."""
    return f" {word} ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
