# SPDX-License-Identifier: BSD-2-Clause
"""Where the tests find axo, and how test/boot boots."""
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tools"), str(TOP / "test" / "boot")]
