"""The command line in this process."""

import sys

import pytest
from absl.testing import flagsaver

from jdmri import main
from jdmri.command_line import parser


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the words of a command without the process's own settings; return what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in ("memory.keep_freed", "exit_codes.silence_writers", "log.show"):
        monkeypatch.setattr(f"jdmri.runtime.{name}", lambda: None)
    monkeypatch.setattr(main, "keep_compiled", lambda: None)

    def run(*words):
        argv = ["jdmri", *map(str, words)]
        monkeypatch.setattr(sys, "argv", argv)
        with flagsaver.flagsaver():
            main.main(parser.parse(argv))
        return capsys.readouterr().out

    return run
