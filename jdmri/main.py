"""Train and evaluate dynamic MRI reconstruction.

    python -m jdmri.main --config=configs/demo.py                train, then evaluate on the test split
    python -m jdmri.main --mode=evaluate --workdir=runs/demo     restore the best checkpoint, evaluate
    python -m jdmri.main --mode=find_lr --config=…               learning-rate range test: a curve, nothing trained
    python -m jdmri.main --mode=phantom --output=FOLDER          pictures of synthetic hearts; FILE.npz or .h5: data

The same command again resumes. Exit codes: 0 done, 2 bad input (one line says what to change),
75 stopped by a signal after saving (the same command continues).
"""

import os
import sys
from pathlib import Path

import absl.logging
import jax
from absl import app, flags

from jdmri import command_line, evaluate, export, failures, log, lr_range, summary, train

_MODE = flags.DEFINE_enum(
    "mode", "train", ["train", "evaluate", "find_lr", "phantom"], "What to do."
)
_WORKDIR = flags.DEFINE_string(
    "workdir", None, "Folder of the run; default runs/<config>[-argument]."
)
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "best, latest or a step. Default: latest to train on, best to evaluate."
)
_SPLIT = flags.DEFINE_string("split", "test", "What to evaluate: train, validation or test.")
_OUTPUT = flags.DEFINE_string("output", None, "With --mode=phantom: a folder, FILE.npz or FILE.h5.")
_NUM_SERIES = flags.DEFINE_integer("num_series", 6, "With --mode=phantom: how many subjects.")
_EXTEND = flags.DEFINE_bool("extend", False, "Train a shorter run on to the length of the config.")


def main(argv: list[str]) -> None:
    """Dispatch on ``--mode``."""
    if len(argv) > 1:
        raise failures.InputError(f"unknown argument {argv[1]!r}; flags begin with --.")
    log.show()
    absl.logging.set_verbosity(absl.logging.FATAL)  # what Orbax logs as an error it raises, too
    failures.silence_threads()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jdmri" / "xla"
    jax.config.update("jax_compilation_cache_dir", str(cache))
    config = flags.FLAGS["config"].value
    if _MODE.value == "phantom":
        if not _OUTPUT.value:
            raise failures.InputError("--mode=phantom needs --output=FOLDER, FILE.npz or FILE.h5.")
        sys.stdout.write(export.export(config, Path(_OUTPUT.value), _NUM_SERIES.value) + "\n")
        return
    folder = command_line.default_workdir(sys.argv)
    if _MODE.value == "find_lr":
        sys.stdout.write(lr_range.find(config, folder) + "\n")
        return
    which = {"train": "best", "evaluate": _CHECKPOINT.value or "best"}[_MODE.value]
    if _MODE.value == "train":
        train.train(config, folder, extend=_EXTEND.value, checkpoint=_CHECKPOINT.value or "latest")
    target, result = evaluate.evaluate(config, folder, split=_SPLIT.value, checkpoint=which)
    sys.stdout.write(f"\n{summary.table(result)}\n\nEverything is in {target}.\n")


def run() -> None:
    """Run the command line; what a user can cause ends in one line and an exit code."""
    try:
        app.run(main, flags_parser=command_line.parse)
    except BaseException as error:
        told = failures.explain(error)
        if told is None:
            raise
        sys.stderr.write(f"jdmri: {told[0]}\n")
        sys.stderr.flush()
        os._exit(told[1])  # exit handlers would try to write once more


if __name__ == "__main__":
    run()
