"""Four virtual CPU devices, strict rank promotion, caches, and the arrays that most tests need."""

import atexit
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jdmri-tests"

# Compiled programs are kept for the next session. Processes that tests start, and workers, inherit all of this.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE / version("jax")))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
# Compiling takes most of the time of most tests; those marked slow or optimised see all passes of XLA.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
if "PYTEST_XDIST_WORKER" not in os.environ:
    # Phantoms are drawn once a session, not kept: the painter's code is under test.
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="jdmri-tests-")
    atexit.register(shutil.rmtree, os.environ["XDG_CACHE_HOME"], ignore_errors=True)

import jax  # noqa: E402

jax.config.update("jax_num_cpu_devices", 4)
jax.config.update("jax_numpy_rank_promotion", "raise")

import numpy as np  # noqa: E402
import pytest  # noqa: E402


@pytest.fixture(autouse=True)
def passes_of_xla(request, monkeypatch):
    """Give tests marked slow, optimised or gpu, and the processes that they start, the whole compiler."""
    if not any(request.node.get_closest_marker(name) for name in ("slow", "optimised", "gpu")):
        yield
        return
    usual = os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] == "1"
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "0")
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", usual)


@pytest.fixture
def key():
    return jax.random.key(0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)
