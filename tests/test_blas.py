"""numpy's linear algebra keeps to one thread, unless somebody says otherwise."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from assistant.blas import VARIABLE, one_blas_thread


def test_the_package_sets_it_before_numpy_is_there_to_read_it() -> None:
    program = f"""
import sys
import assistant, os
assert "numpy" not in sys.modules
print(os.environ[{VARIABLE!r}])
"""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_who_sets_it_is_right() -> None:
    environment = {VARIABLE: "4"}
    one_blas_thread(environment)
    assert environment == {VARIABLE: "4"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="numpy uses Accelerate on macOS, which reads no such")
def test_numpy_multiplies_on_one_thread() -> None:
    program = """
import assistant
import os
import numpy
matrix = numpy.ones((600, 600), dtype=numpy.float32)
matrix @ matrix
print(len(os.listdir("/proc/self/task")))
"""
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
