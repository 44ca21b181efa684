"""Train and evaluate dynamic MRI reconstruction: ``python -m jdmri.main --help``."""

import os
import sys
import traceback
from pathlib import Path

import absl.logging
import jax
from absl import app, flags

from jdmri.command_line import modes, options, parser
from jdmri.errors import InputError
from jdmri.runtime import exit_codes, log, memory, processes


def main(argv: list[str]) -> None:
    """Do what ``--mode`` says."""
    if len(argv) > 1:
        raise InputError(f"unknown argument {argv[1]!r}; flags begin with --.")
    absl.logging.set_verbosity(absl.logging.FATAL)  # what Orbax logs as an error it raises, too
    memory.keep_freed()
    processes.initialize(flags.FLAGS["distributed"].value)
    if processes.is_first():
        log.show()
    exit_codes.silence_writers()
    keep_compiled()
    config, name = flags.FLAGS["config"].value, flags.FLAGS["mode"].value
    parser.import_plugins(config, sys.argv)
    parser.check_data_fields(config)
    folder = parser.default_workdir(sys.argv)
    text = modes.choose(name).run(config, folder, **options.values(name))
    if processes.is_first():
        sys.stdout.write(text + "\n")


def keep_compiled() -> None:
    """Keep compiled programs from call to call; JAX's own variables win."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jdmri" / "xla"
        jax.config.update("jax_compilation_cache_dir", str(cache))
    if "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS" not in os.environ:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)


def run() -> None:
    """Run the command line; what a user can cause ends in one line and an exit code."""
    try:
        app.run(main, flags_parser=parser.parse)
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
