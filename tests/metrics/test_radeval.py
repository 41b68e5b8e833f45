"""The optional clinical metrics where their extra is missing; their scores need weights and are not run here."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from clincot.errors import ClincotError
from clincot.metrics import load
from tests.metrics.inputs import CLINICAL


@pytest.mark.skipif(find_spec("radeval") is not None, reason="radeval is installed: its metrics would fetch weights")
@pytest.mark.parametrize("name", CLINICAL)
def test_a_clinical_metric_without_its_extra_names_the_command(name: str) -> None:
    with pytest.raises(ClincotError, match=r"pip install 'clincot\[clinical\]'"):
        load(name).compute(predictions=["No effusion."], references=["No effusion."])
