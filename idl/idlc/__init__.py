# SPDX-License-Identifier: BSD-2-Clause
"""idlc: the interface compiler. Start reading at model.py."""
