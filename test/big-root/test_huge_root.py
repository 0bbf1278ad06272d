# SPDX-License-Identifier: BSD-2-Clause
"""400 MB in files, and 20,000 small ones beside them, in one root."""
from conftest import guest, make_large, make_many

NAMES, MEGABYTES, MANY = [f"large{i:02}" for i in range(20)], 20, 20000


def test_huge(tmp_path):
    sums, total = make_large(tmp_path, NAMES, MEGABYTES), make_many(tmp_path, MANY)
    out, err, status = guest(tmp_path, "for f in /large*; do md5sum < $f; done; find /many -type f | sort | xargs cat | md5sum; "
                             "cat /large00 >> /large01; wc -c < /large01; cp /large02 /tmp/copy; md5sum < /tmp/copy; rm -r /large* /many; "
                             "find / -xdev -name 'large*' | wc -l", timeout=400)
    wanted = [f"{s}  -" for s in [*sums, total]] + [str(2 * MEGABYTES << 20), f"{sums[2]}  -", "0"]
    assert (out.splitlines(), err, status) == (wanted, "", 0)
