"""The pinned rounds, built -> their .json files in this folder: for when rows change on purpose.

Run it as `python tests/pins/record.py [round-8] [round-64]`; it says what changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent))
from round_pins import ROUNDS, Pins, build, differences, pins_of


def main() -> None:
    for name in sys.argv[1:] or ROUNDS:
        pinned = ROUNDS[name]
        with TemporaryDirectory() as folder:
            made = pins_of(build(pinned, Path(folder)))
        before = json.loads(pinned.file.read_text()) if pinned.file.exists() else None
        pinned.file.write_text(written(made))
        if before is None:
            print(f"{pinned.file.name}: new")
            continue
        lines = differences(before, made)
        print(f"{pinned.file.name}: {len(lines)} differences from before", *lines, sep="\n  ")


def written(pins: Pins) -> str:
    """Return the text of a file of pins: one line an image, so that a change of it is read in a diff."""
    images = ",\n".join(f"  {json.dumps(image)}: {json.dumps(found)}" for image, found in pins["images"].items())
    head = "".join(f"{json.dumps(key)}: {json.dumps(pins[key])},\n" for key in ("machine", "counts"))
    return f'{{{head}"images": {{\n{images}\n}}}}\n'


if __name__ == "__main__":
    main()
