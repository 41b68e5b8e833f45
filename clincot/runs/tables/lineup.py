"""A table's number -> its rows: which recipe makes each, how it is asked, and the row that the paper prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clincot.errors import RecipeError, did_you_mean
from clincot.recipe import recipes_folder
from clincot.runs.tables.published import MMEDPO_STAGE_1, printed_of

Start = Literal["base", "sft"]
BOTH: tuple[Start, ...] = ("base", "sft")
DIRECT, REGION = "direct", "region"
MATCHED = "sft-matched"  # its epochs are counted from what ClinCoT trained on
NOT_OF_THE_TABLES = ("rows",)  # recipes that need more than a setting


@dataclass(frozen=True)
class TableRow:
    """One row: `name` is what `--rows` takes, `recipe` what makes it, `printed` what the paper calls it.

    `policy` is the adapter that counts: the last one, or `round-1`. `asked` are the ways of asking that are shown, and
    `as_printed` is the one that the paper's number is of. `control` rows are no method; `note` is said below the table.
    `merged` names the row whose adapter is merged into its base first: the merged model is the policy of this row.
    `outside` says what the row needs that the command does not make: the row is listed and left out.
    """

    name: str
    title: str
    recipe: str
    printed: str = ""
    starts: tuple[Start, ...] = BOTH
    policy: str = ""
    asked: tuple[str, ...] = (DIRECT, REGION)
    as_printed: str = DIRECT
    control: bool = False
    note: str = ""
    merged: str = ""
    outside: str = ""


BASE = TableRow("base", "base", "sft", "LLaVA-Med v1.5", ("base",))
CONTROLS = (
    TableRow(
        "clincot-nll",
        "NLL on chosen texts",
        "clincot-nll",
        control=True,
        note="likelihood of the texts that ClinCoT's judges chose, without the rejected ones; the pairs of round 1 are"
        " ClinCoT's, later rounds sample from its own adapter",
    ),
    TableRow(
        "clincot-shuffled",
        "shuffled pairs",
        "clincot-shuffled",
        control=True,
        note="ClinCoT's pairs, chosen and rejected text exchanged in half of them at random",
    ),
    TableRow(
        MATCHED,
        "token-matched SFT",
        "sft",
        control=True,
        note="gold answers, for as many tokens as ClinCoT trained on (after SFT: in addition to those of SFT)",
    ),
)
FISAO = "reinforcement learning in the original: never counted when a method is said to beat all others"
RELEASED = (
    "needs the files of aiming-lab/MMedPO, which are not shipped. Train on them with `clincot train --recipe rows"
    " --rows FILE --format mmedpo` (docs/own-rows.md)."
)
TABLES: dict[int, tuple[TableRow, ...]] = {
    1: (
        BASE,
        TableRow("sft", "+ SFT", "sft", "+ SFT", ("sft",)),
        TableRow("dpo", "+ DPO-style", "dpo", "+ DPO"),
        TableRow("self-rewarding", "+ Self-Rewarding-style", "self-rewarding", "+ Self-Rewarding"),
        TableRow("stllava-med", "+ STLLaVA-Med-style", "stllava-med", "+ STLLaVA-Med"),
        TableRow("povid", "+ POVID-style", "povid", "+ POVID", note="stage 1"),
        TableRow(
            "povid-stage-2",
            "+ POVID-style, both stages",
            "povid-stage-2",
            "+ POVID",
            merged="povid",
            note="stage 2 starts from the merged model of stage 1, which is its reference",
        ),
        TableRow("sima", "+ SIMA-style", "sima", "+ SIMA"),
        TableRow("fisao", "+ FiSAO-style", "fisao", "+ FiSAO", note=FISAO),
        TableRow("mmedpo", "+ MMedPO-style", "mmedpo", "+ MMedPO"),
        TableRow("mmedpo-released", "MMedPO's released rows", "rows", MMEDPO_STAGE_1, ("base",), outside=RELEASED),
        TableRow("clincot", "+ ClinCoT (reconstruction)", "clincot", "+ ClinCoT", as_printed=REGION),
        *CONTROLS,
    ),
    2: (
        BASE,
        TableRow("clincot", "ClinCoT w/o SFT", "clincot", "ClinCoT w/o SFT", as_printed=REGION),
        TableRow(
            "asked-directly",
            "w/o ClinCoT, asked directly",
            "clincot",
            "w/o ClinCoT",
            asked=(DIRECT,),
            note="the same weights as ClinCoT, asked without a region step",
        ),
        TableRow("clincot-no-regions", "w/o ClinCoT, trained without regions", "clincot-no-regions", "w/o ClinCoT"),
        TableRow("clincot-naive-dpo", "w/ naive DPO", "clincot-naive-dpo", "w/ naive DPO", as_printed=REGION),
        TableRow(
            "clincot-one-round",
            "w/o iterative, union",
            "clincot-one-round",
            "w/o iterative learning",
            as_printed=REGION,
            note="one round on as many images as all rounds of ClinCoT",
        ),
        TableRow(
            "round-1",
            "w/o iterative, round 1 alone",
            "clincot",
            "w/o iterative learning",
            policy="round-1",
            as_printed=REGION,
            note="the first of ClinCoT's rounds, on its part of the images",
        ),
        TableRow(
            "clincot-no-lookahead",
            "w/o look-ahead (gamma 0)",
            "clincot-no-lookahead",
            "w/o [name lost]",
            as_printed=REGION,
            note="the name of the paper's row is lost; gamma = 0 is inferred",
        ),
        TableRow(
            "clincot-single-judge", "first judge alone", "clincot-single-judge", "single evaluator", as_printed=REGION
        ),
        TableRow(
            "clincot-second-judge", "second judge alone", "clincot-second-judge", "single evaluator", as_printed=REGION
        ),
        TableRow(
            "clincot-blind-judges",
            "judges blind",
            "clincot-blind-judges",
            note="judges read no gold answer; those of the other rows do",
        ),
        *CONTROLS,
    ),
}
NAIVE = {1: "dpo", 2: "clincot-naive-dpo"}  # the row that a table calls naive DPO


def chosen(table: int, names: list[str]) -> tuple[TableRow, ...]:
    """Return the rows called `names` in the table's order (none: all), then recipes that are no row of it.

    A recipe is a shipped one or a file. Raises RecipeError for a name that is neither, naming the nearest.
    """
    rows = {row.name: row for row in TABLES[table]}
    if not names:
        return tuple(rows.values())
    shipped = {path.stem for path in recipes_folder().glob("*.yaml")} - set(NOT_OF_THE_TABLES)
    taken = {*shipped, *(row.name for every in TABLES.values() for row in every)}
    more: list[TableRow] = []
    for name in dict.fromkeys(names):
        if name in rows:
            continue
        if name not in shipped and not _is_file(name):
            raise RecipeError(
                f"--rows {name}: is no row of Table {table} and no recipe.{did_you_mean(name, {*rows, *shipped})}"
            )
        own = Path(name).stem
        if _is_file(name) and own in taken:
            raise RecipeError(
                f"--rows {name}: another row is called {own}, and a result has its row's name. Rename the file."
            )
        taken.add(own)
        more.append(TableRow(own, own, name))
    return (*(row for row in rows.values() if row.name in names), *more)


def outside(table: int, start: Start, row: TableRow, benchmark: str) -> str:
    """Return what a row needs from outside, and what is printed in its place."""
    printed = printed_of(table, start, row.printed, benchmark)
    return f"{row.outside} Published: {printed}." if printed else row.outside


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) and Path(name).is_file()
