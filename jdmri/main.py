"""Train and evaluate dynamic MRI reconstruction.

    python -m jdmri.main --config=configs/demo.py                train, then evaluate on the test split
    python -m jdmri.main --mode=evaluate --workdir=runs/demo     restore the best checkpoint, evaluate
    python -m jdmri.main --mode=study --config=configs/studies/losses.py:quick    variants × seeds, statistics, a page
    python -m jdmri.main --mode=search --config=configs/studies/search.py         hyper-parameters, with Optuna
    python -m jdmri.main --mode=reader --workdir=runs/studies/losses-quick        a blinded reading; --answers=a.csv,b.csv
    python -m jdmri.main --mode=find_lr --config=…               learning-rate range test: a curve, nothing trained
    python -m jdmri.main --mode=tune --config=configs/classical.py    parameters of the methods without training
    python -m jdmri.main --mode=phantom --output=FOLDER          pictures of synthetic hearts; FILE.npz or .h5: data
    python -m jdmri.main --mode=doctor --input=SCAN              what a file or folder holds, and how to use it
    python -m jdmri.main --mode=convert --input=FOLDER --output=store.h5    any format into one file
    python -m jdmri.main --mode=reconstruct --input=SCAN --output=FILE --method=cg_sense    or --workdir=runs/…: a network

The same command again resumes. Exit codes: 0 done, 2 bad input (one line says what to change),
75 stopped by a signal after saving (the same command continues).
"""

import os
import sys
import traceback
from pathlib import Path

import absl.logging
import jax
from absl import app, flags

from jdmri import command_line
from jdmri.runtime import (
    exit_codes,
    log,
    memory,
    processes,
)

# Each mode imports what it needs when it is chosen, so that all start quickly.

_MODE = flags.DEFINE_enum(
    "mode",
    "train",
    [
        *("train", "evaluate", "study", "search", "reader", "find_lr", "tune"),
        *("phantom", "doctor", "convert", "reconstruct"),
    ],
    "What to do.",
)
_WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the run; default runs/<config>[-argument]."
)
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "best, latest or a step. Default: latest to train on, best to evaluate."
)
_SPLIT = flags.DEFINE_string("split", "test", "What to evaluate: train, validation or test.")
_OUTPUT = flags.DEFINE_string(
    "output", None, "A folder; with --mode=phantom also FILE.npz or FILE.h5."
)
_NUM_SERIES = flags.DEFINE_integer(
    "num_series", 6, "With --mode=phantom or reader: how many subjects or cases."
)
_ANSWERS = flags.DEFINE_list(
    "answers", None, "With --mode=reader: the readers' CSV files, to be analysed."
)
_INPUT = flags.DEFINE_string(
    "input", None, "With --mode=doctor, convert or reconstruct: a file or folder."
)
_METHOD = flags.DEFINE_string(
    "method", "cg_sense", "With --mode=reconstruct without --workdir: a method without training."
)
_SHARD = flags.DEFINE_string(
    "shard", "1/1", "With --mode=study: i/n, this worker's part of the runs."
)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "With --mode=study: list the runs and their time.")
_EXTEND = flags.DEFINE_bool("extend", False, "Train a shorter run on to the length of the config.")
_DISTRIBUTED = flags.DEFINE_string(
    "distributed",
    "auto",
    "Several processes as one: auto (as SLURM or Open MPI say), off, or HOST:PORT,n,i.",
)
_PROFILE = flags.DEFINE_string(
    "profile", "", "FIRST:LAST: trace these training steps, counted from the first of this command."
)


def main(argv: list[str]) -> None:
    """Dispatch on ``--mode``."""
    if len(argv) > 1:
        raise exit_codes.InputError(f"unknown argument {argv[1]!r}; flags begin with --.")
    absl.logging.set_verbosity(absl.logging.FATAL)  # what Orbax logs as an error it raises, too
    _check_distributed(_MODE.value)
    memory.keep_freed()
    processes.initialize(_DISTRIBUTED.value)
    if processes.is_first():
        log.show()
    exit_codes.silence_threads()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jdmri" / "xla"
    jax.config.update("jax_compilation_cache_dir", str(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    config, mode = flags.FLAGS["config"].value, _MODE.value
    command_line.check_kind(config, mode)
    _check_fields(config)
    folder = command_line.default_workdir(sys.argv)
    said = _MODES[mode](config, folder)
    if processes.is_first():
        sys.stdout.write(said + "\n")


def _check_fields(config) -> None:
    from jdmri.data import fields

    runs = {"data": config, "base.data": config.get("base") or {}}
    readers = {place: run["data"]["name"] for place, run in runs.items() if "data" in run}
    fields.check_typed(readers, flags.FLAGS["config"].override_values)


def _check_distributed(mode: str) -> None:
    if mode not in ("train", "evaluate", "reconstruct") and "," in _DISTRIBUTED.value:
        raise exit_codes.InputError(
            f"--distributed goes with --mode=train, evaluate or reconstruct, not {mode}."
        )


def _train(config, folder: Path) -> str:
    from jdmri.training import train

    which = _CHECKPOINT.value or "latest"
    train.train(config, folder, extend=_EXTEND.value, checkpoint=which, profile=_PROFILE.value)
    return _evaluate(config, folder, "best")


def _evaluate(config, folder: Path, checkpoint: str | None = None) -> str:
    from jdmri.evaluation import evaluate, summary

    which = checkpoint or _CHECKPOINT.value or "best"
    target, result = evaluate.evaluate(config, folder, split=_SPLIT.value, checkpoint=which)
    return f"\n{summary.table(result)}\n\nEverything is in {target}; open {target / 'report.html'}."


def _study(config, folder: Path) -> str:
    from jdmri.studies import study

    return study.study(config, folder, share=_SHARD.value, dry_run=_DRY_RUN.value)


def _search(config, folder: Path) -> str:
    from jdmri.studies import search

    return search.search(config, folder)


def _reader(config, folder: Path) -> str:
    from jdmri.studies import reading
    from jdmri.studies.reading import study_cases

    output = Path(_OUTPUT.value or folder / "reader")
    if _ANSWERS.value:
        return reading.evaluate_answers(output, [Path(name) for name in _ANSWERS.value])
    cases = study_cases.study_cases(config, folder, _NUM_SERIES.value)
    return reading.prepare(cases, output, seed=config.seeds[0])


def _find_lr(config, folder: Path) -> str:
    from jdmri.studies import find_lr

    return find_lr.find(config, folder)


def _tune(config, folder: Path) -> str:
    from jdmri.studies import tune

    return tune.tune(config, folder)


def _phantom(config, folder: Path) -> str:
    from jdmri.scans import phantoms

    return phantoms.export(config, _path("output"), _NUM_SERIES.value)


def _doctor(config, folder: Path) -> str:
    from jdmri.scans import doctor

    return doctor.examine(_path("input"))


def _convert(config, folder: Path) -> str:
    from jdmri.scans import convert

    return convert.convert(_path("input"), _path("output"))


def _reconstruct(config, folder: Path) -> str:
    from jdmri.scans import reconstruct

    network = folder if flags.FLAGS["workdir"].value else None
    which = _CHECKPOINT.value or "best"
    return reconstruct.reconstruct_scan(
        _path("input"), _path("output"), folder=network, method=_METHOD.value, which=which
    )


_MODES = {
    "train": _train,
    "evaluate": _evaluate,
    "study": _study,
    "search": _search,
    "reader": _reader,
    "find_lr": _find_lr,
    "tune": _tune,
    "phantom": _phantom,
    "doctor": _doctor,
    "convert": _convert,
    "reconstruct": _reconstruct,
}


def _path(flag: str) -> Path:
    """The value of a flag that the mode needs."""
    value = flags.FLAGS[flag].value
    if not value:
        raise exit_codes.InputError(f"--mode={_MODE.value} needs --{flag}=, a file or a folder.")
    return Path(value)


def run() -> None:
    """Run the command line; what a user can cause ends in one line and an exit code."""
    try:
        app.run(main, flags_parser=command_line.parse)
    except SystemExit:  # as absl ends, also when all went well
        raise
    except BaseException as error:
        told = exit_codes.explain(error)
        if told is None and jax.process_count() == 1:
            raise
        said, code = told or (traceback.format_exc().rstrip(), 1)
        sys.stderr.write(f"jdmri: {said}\n")
        sys.stderr.flush()
        os._exit(code)  # exit handlers would try to write once more, or wait for other processes


if __name__ == "__main__":
    run()
