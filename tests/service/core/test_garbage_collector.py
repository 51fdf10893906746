"""A process that serves is not stopped by Python's garbage collector for what it has loaded."""

import subprocess
import sys

PROGRAM = """
import gc
from service.core.garbage_collector import spare_garbage_collector

before, loaded = gc.get_threshold(), [[] for _ in range(1000)]
spare_garbage_collector()
assert gc.get_freeze_count() > 1000
assert all(now > then for now, then in zip(gc.get_threshold(), before))
assert gc.isenabled()
"""


def test_what_is_loaded_is_not_checked_again_and_new_objects_more_rarely():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)  # it changes the whole process
