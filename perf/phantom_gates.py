"""Parts of the phantom's version 2, drawn and pre-trained -> the table of its gates.

Run as `python perf/phantom_gates.py probes` (trains small probes, 4 CPU minutes), `... grounder` (looks at the shipped
one's regions, 1 CPU minute), `... critic`, `... judges`, `... policy`, `... ahead` or `... similarity` (ask the shipped
ones, or those of `--policy FOLDER` and `--similarity FOLDER`, 1 CPU minute each).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from clincot import phantom
from clincot.phantom.v2.critic.figures import critic_gates
from clincot.phantom.v2.gates.ahead import policy_ahead_gates
from clincot.phantom.v2.gates.gate import Gate, gate_table
from clincot.phantom.v2.gates.policy import policy_gates
from clincot.phantom.v2.gates.probes import probe_gates
from clincot.phantom.v2.grounder.figures import grounder_gates
from clincot.phantom.v2.judges.figures import judge_gates
from clincot.phantom.v2.judges.plan import JUDGE_A, JUDGE_B
from clincot.phantom.v2.similarity.figures import similarity_gates
from clincot.regions.query_grounder import QueryGrounder

MODELS = Path(phantom.__file__).parent / "models" / "v2"
GATES: dict[str, Callable[[argparse.Namespace], list[Gate]]] = {
    "probes": lambda options: probe_gates(options.seed),
    "grounder": lambda options: grounder_gates(QueryGrounder.from_pretrained(MODELS / "grounder"), options.seed, 400),
    "critic": lambda options: critic_gates(MODELS / "critic", options.seed, 150),
    "judges": lambda options: judge_gates(
        (JUDGE_A, JUDGE_B), (MODELS / "judge-a", MODELS / "judge-b"), options.seed, JUDGE_A.held_out
    ),
    "similarity": lambda options: similarity_gates(options.similarity, options.seed, 200),
    "ahead": lambda options: policy_ahead_gates(options.policy, options.seed),
    "policy": lambda options: policy_gates(options.policy, options.seed),
}


def main() -> None:
    """Measure the named gates, all of them by default, and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gates", nargs="*", metavar="GATE", help=f"{', '.join(GATES)} (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the world")
    parser.add_argument("--policy", type=Path, default=MODELS / "policy", help="folder of the policy to ask")
    parser.add_argument("--similarity", type=Path, default=MODELS / "similarity", help="folder of the CLIP to ask")
    options = parser.parse_args()
    unknown = sorted(set(options.gates) - set(GATES))
    if unknown:
        parser.error(f"no gate {', '.join(unknown)}; there are {', '.join(GATES)}")
    for name in options.gates or GATES:
        began = time.process_time()
        print(f"\n## {name}\n\n{gate_table(GATES[name](options))}")
        print(f"\n{(time.process_time() - began) / 60:.1f} CPU minutes.")


if __name__ == "__main__":
    main()
