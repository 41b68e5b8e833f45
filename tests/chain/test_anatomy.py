"""Names of annotated regions: parts of the body beyond the organs of hypotheses are no lesions."""

from __future__ import annotations

import pytest

from clincot.chain.hypotheses import is_organ
from clincot.regions.annotated import shows


@pytest.mark.parametrize(
    "name",
    [
        *("Left Clavicle", "Rib", "rib_7", "Spine", "Temporal Lobe Left", "Optic Nerve (L)", "Pituitary", "Prostate"),
        *(
            "Thyroid",
            "Breast",
            "Teeth",
            "carina",
            "right upper lung zone",
            "Lung",
            "Right Femoral Head",
            "SVC of heart",
        ),
    ],
)
def test_a_part_of_the_body_is_no_lesion(name: str) -> None:
    assert is_organ(name) and not shows(name, "lesion") and shows(name, name)


@pytest.mark.parametrize(
    "name", ["Rib Fracture", "Hilar Enlargement", "Liver Cancer", "mass", "Left", "opacity", "Pacemaker", "spine x", ""]
)
def test_what_may_be_a_finding_stays_one(name: str) -> None:
    assert not is_organ(name) and shows(name, "lesion")
