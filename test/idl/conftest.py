# SPDX-License-Identifier: BSD-2-Clause
"""Makes the package idlc importable for the tests."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "idl"))
