# SPDX-License-Identifier: BSD-2-Clause
"""The build folder that is tested, and its benches."""
import os
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from axo import paths  # noqa: E402


@pytest.fixture(scope="session")
def files():
    return paths.Build(Path(os.environ["AXO_NATIVE"]).parent if "AXO_NATIVE" in os.environ else None)
