"""What a notebook shows of a round that exists, as cells of a script: pairs with their images, numbers as frames.

Editors and Jupytext run `# %%` as cells. `python examples/notebook.py` runs them all after `examples/round.py` and
writes what `show` displays to show.html; another Hub than `./clincot-hub` is its argument.
"""

# %%
import sys
from pathlib import Path

import clincot

FEW = ("build.max_images=8", "train.dpo.num_train_epochs=1", "evaluate.max_images=8", "evaluate.resamples=200")
hub = sys.argv[1] if len(sys.argv) == 2 else "local:./clincot-hub"
recipe = clincot.load_recipe("clincot", "phantom", overrides=FEW)
run = clincot.open_run(recipe, name="example", hub=hub)

# %% The pairs of round 1, which exist already: nothing is built again.
data = clincot.build(run, round=1)
pairs = data.load("pairs")
shown = clincot.show(pairs[0])
shown  # noqa: B018 - a cell displays its last line

# %% Every candidate with its consensus score.
candidates = data.frame("candidates")
print(candidates.groupby("step").score.describe())

# %%
Path("show.html").write_text(f"<!doctype html><meta charset=utf-8>{shown.html}", encoding="utf-8")
