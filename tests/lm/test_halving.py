"""A batch that does not fit is halved, and the first time is said on stderr."""

from __future__ import annotations

import subprocess
import sys


def test_without_any_logging_set_up_the_split_is_a_line_on_stderr():
    code = """
import torch
from clincot.lm.halving import in_halves
from clincot.lm.requests import Counters

def run(entries):
    if len(entries) > 1:
        raise torch.OutOfMemoryError("CUDA out of memory.")
    return list(entries)

assert in_halves([1, 2, 3, 4], run, Counters()) == [1, 2, 3, 4]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.count("memory does not hold a batch of 4") == 1
