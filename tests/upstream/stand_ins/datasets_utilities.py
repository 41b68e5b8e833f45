"""What datasets' tests decorate their methods with: skips where a library is missing, marks that change nothing."""

import importlib.util
from collections.abc import Callable
from typing import TypeVar

import pytest

Decorated = TypeVar("Decorated")


def _needs(library: str) -> Callable[[Decorated], Decorated]:
    return pytest.mark.skipif(importlib.util.find_spec(library) is None, reason=f"needs {library}")


require_pil = _needs("PIL")
require_torchcodec = _needs("torchcodec")


def xfail_if_500_502_http_error(test: Decorated) -> Decorated:
    return test  # an answer of that kind is a failure of our Hub


def for_all_test_methods(*decorators: Callable) -> Callable[[Decorated], Decorated]:
    return lambda decorated: decorated
