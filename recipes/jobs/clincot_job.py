# /// script
# requires-python = ">=3.11"
# ///
"""The words of a `clincot` command -> that command on a machine of Hugging Face Jobs (docs/scale.md). NOT RUN there.

clincot is not on PyPI: give the address of a wheel or of the repository with `--with`.
"""

from __future__ import annotations

from clincot.__main__ import main

if __name__ == "__main__":
    main()
