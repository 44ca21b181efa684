"""Which failures of threads are seen."""

import sys
import threading

import pytest

from jdmri.runtime import exit_codes


@pytest.fixture
def seen(monkeypatch):
    """Threads whose failure the previous hook was told of."""
    failures = []
    monkeypatch.setattr(threading, "excepthook", lambda args: failures.append(args.thread.name))
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    exit_codes.silence_writers()
    return failures


def fail(error):
    raise error


def of_package(package, error):
    """A function of another package that fails."""
    names = {"__name__": f"{package}.writer", "fail": fail, "error": error}
    exec("def write():\n    fail(error)", names)
    return names["write"]


def start(target, name):
    thread = threading.Thread(target=target, name=name)
    thread.start()
    thread.join()


def test_a_thread_of_ours_that_fails_is_seen(seen):
    start(lambda: 1 / 0, "ours")
    start(lambda: fail(OSError("disk")), "ours, writing")
    assert seen == ["ours", "ours, writing"]


@pytest.mark.parametrize("package", ["tensorboardX", "orbax", "tensorstore"])
def test_a_writer_that_fails_to_write_is_not(seen, package):
    start(of_package(package, OSError("No space left on device")), "writer")
    start(of_package(package, RuntimeError("Event loop is closed")), "writer")
    assert not seen
    start(of_package(package, TypeError("a defect")), "defect")
    assert seen == ["defect"]


def test_the_writer_of_tensorboard_is_known(seen, tmp_path):
    from tensorboardX import SummaryWriter

    writer = SummaryWriter(str(tmp_path / "log"), flush_secs=1)
    thread = writer.file_writer.event_writer._worker
    thread._record_writer.write_event = lambda event: fail(OSError("No space left on device"))
    writer.add_scalar("loss", 1.0, 1)
    thread.join(timeout=20)
    assert not thread.is_alive() and not seen
