"""One small round on the embedded benchmark, from Python: build, train, evaluate.

Run it as `python examples/round.py`; another Hub than `./clincot-hub` is its argument (`local:PATH` or a URL).
"""

from __future__ import annotations

import sys

import clincot

FEW = ("build.max_images=8", "train.dpo.num_train_epochs=1", "evaluate.max_images=8", "evaluate.resamples=200")


def main(hub: str) -> None:
    recipe = clincot.load_recipe("clincot", "phantom", overrides=FEW)
    run = clincot.open_run(recipe, name="example", hub=hub)

    data = clincot.build(run, round=1, say=print)
    rows = data.load("pairs")
    print(f"{data.release.tag}: {len(rows)} pairs, the first prefers {rows[0]['chosen']!r} to {rows[0]['rejected']!r}")

    adapter = clincot.train(run, round=1, say=print)
    print(f"{adapter.release.tag}: {adapter.folder}")

    results = clincot.evaluate(run, say=print)
    for policy in ("base", "round-1"):
        found = results.find("closed_accuracy", policy)
        print(f"{policy}: closed accuracy {found.value:.3f} [{found.low:.3f}, {found.high:.3f}], {found.n} questions")
    # `clincot.push(adapter)` would publish the adapter to the run's Hub.


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "local:./clincot-hub")
