"""The table of `docs/models.md` says of every class that needs no other package what the code does with it."""

from __future__ import annotations

import pytest

from perf.capabilities import MAKERS, PAGE, row_of, rows_in, written
from tests.vlms import PLAIN, REFUSED, idefics2, llava_mistral, vip_llava

# 3 s each; what they would show, others show too. `make test-models` has them (tests/models/check_capabilities.py).
TWINS = (llava_mistral, vip_llava, idefics2)


@pytest.mark.parametrize("name", [make.__name__ for make in (*PLAIN, *REFUSED) if make not in TWINS])
def test_the_page_says_what_a_class_does(name: str) -> None:
    assert row_of(name) == rows_in(PAGE.read_text()).get(name), f"run `python perf/capabilities.py --class {name}`"


def test_rows_that_were_not_measured_are_kept() -> None:
    page = PAGE.read_text()
    rows = rows_in(page)
    assert set(rows) == set(MAKERS) and written(page, {}) == page
    other = "| LLaVA: CLIP, Llama | no |\n- **LLaVA: CLIP, Llama**: load: a reason."
    changed = rows_in(written(page, {"llava_clip_llama": other}))
    assert changed == rows | {"llava_clip_llama": other}
