"""What ``import jdmri`` gives a notebook, and what it costs."""

import subprocess
import sys

import pytest

import jdmri


def test_the_package_is_imported_at_once_and_its_parts_when_they_are_used():
    code = (
        "import sys, jdmri; before = {'jax', 'numpy', 'flax'} & set(sys.modules);"
        "jdmri.masks.MASKS, jdmri.ops.sense.forward; print(before, 'jdmri.models' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set() False"


def test_a_notebook_finds_what_it_needs():
    for name in ("classical", "losses", "masks", "metrics", "models", "ops", "phantom"):
        assert getattr(jdmri, name).__name__ == f"jdmri.{name}" and name in dir(jdmri)
    assert callable(jdmri.restore) and "restore" in dir(jdmri)
    assert jdmri.ops.fourier.__name__ == "jdmri.ops.fourier"
    for module in (jdmri, jdmri.ops):
        with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
            module.__getattr__("nothing")
