"""Every mistake that test_mutations.py makes; of_rows.py and of_runs.py follow changes of the code around them."""

from __future__ import annotations

from of_rows import CHAIN, DATA, JUDGES, METHODS, PAIRING
from of_runs import HUB, OBJECTIVES, STAGES

MUTATIONS = (*METHODS, *CHAIN, *JUDGES, *PAIRING, *DATA, *STAGES, *OBJECTIVES, *HUB)
