"""The results that are there -> the page of the study and its forest plots; prose above its mark stays as written."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from study.analysis import Analysis, Contrast, Estimate
from study.forest import Entry, forest
from study.measures import Measure, measures
from study.power import power_table
from study.results import Result, every
from study.rows import FAMILIES, LOOP, ONCE, ROWS
from study.sums import Seen

if TYPE_CHECKING:
    from study.answering import Study

MARK = "<!-- Below: written by `python perf/learning.py FOLDER --report`. -->"
HEAD = "# The study on the phantom's version 2\n\nDrawn images, tiny models: no sentence here is about medicine.\n"


@dataclass(frozen=True)
class Tables:
    """The analysis of one policy, as parts of the page."""

    policy: str
    analysis: Analysis
    all: tuple[Measure, ...]

    @property
    def text(self) -> str:
        """Return all tables of the policy."""
        claims = [self._claims(row) for row in FAMILIES]
        parts = [f"## Policy `{self.policy}`", *claims, self._values(), self._differences(), self._by_seed()]
        return "\n\n".join(parts)

    def _claims(self, row: str) -> str:
        lines = [
            f"### {row}, against four contrasts",
            "",
            "p is the larger of two, of the crossed resamples and of t over the seeds' differences. Holm over eight.",
            "",
            "| against | endpoint | difference | p | after Holm | t over seeds, p | holds |",
            "|---|---|---|---|---|---|---|",
        ]
        for one in self.analysis.claims(row, self.all[:2]):
            holds = "yes" if one.holm < 0.05 and one.found.value > 0 else "no"
            numbers = f"{one.found.p:.4f} | {one.holm:.4f} | {one.found.by_t:.4f}"
            lines.append(f"| {one.against} | {one.measure} | {difference(one.found)} | {numbers} | {holds} |")
        return "\n".join(lines)

    def _values(self) -> str:
        names = [measure.name for measure in self.all]
        lines = ["### Values", "", f"| row | seeds | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
        for row in self.analysis.rows:
            found = [self.analysis.value(row, measure) for measure in self.all]
            count = len(self.analysis.results[row])
            lines.append(f"| {label(row)} | {count} | {' | '.join(map(cell, found))} |")
        return "\n".join(lines)

    def _differences(self) -> str:
        names = [measure.name for measure in self.all[:2]]
        lines = [
            "### Parts, each minus what it is compared with",
            "",
            'Exploratory but for the claims above. "adds nothing": several seeds, and the 90 % interval lies within a'
            " point. Of one seed an interval is over images alone.",
            "",
            f"| row | minus | seeds | {' | '.join(names)} |",
            "|---" * (len(names) + 3) + "|",
        ]
        for row in ROWS:
            if row.name in self.analysis.results:
                found = [self.analysis.difference(row.name, row.against, measure) for measure in self.all[:2]]
                if any(found):
                    seeds = max(len(one.seeds) for one in found if one)
                    lines.append(f"| {label(row.name)} | {row.against} | {seeds} | {' | '.join(map(judged, found))} |")
        return "\n".join(lines)

    def _by_seed(self) -> str:
        lines = ["### Values of the seeds", "", "| row | endpoint | by seed |", "|---|---|---|"]
        for row in self.analysis.rows:
            for measure in self.all[:2]:
                found = self.analysis.value(row, measure)
                if found:
                    known = ", ".join(f"{seed}: {value:.1f}" for seed, value in found.seeds.items())
                    lines.append(f"| {label(row)} | {measure.name} | {known} |")
        return "\n".join(lines)

    def plots(self) -> dict[str, str]:
        """Return a forest plot of each endpoint, by the end of its file's name."""
        made = {}
        for place, measure in enumerate(self.all[:2], start=1):
            claims = [(row, against) for row, contrasts in FAMILIES.items() for against in contrasts]
            asked = [*claims, *((row.name, row.against) for row in ROWS if row.block > 1)]
            found = [(a, b, self.analysis.difference(a, b, measure)) for a, b in asked]
            entries = [Entry(a, b, one) for a, b, one in found if one is not None]
            if entries:
                made[f"{self.policy}-{place}"] = forest(f"{measure.name}, points, policy {self.policy}", entries)
        return made


def written(study: Study, page: Path) -> None:
    """Write the page and its plots; what the page has above its mark stays."""
    seen = Seen(tuple(study.world.asked), tuple(study.world.bank))
    known = [result for result in every(study.results) if result.policy in study.policies]
    head = page.read_text(encoding="utf-8").split(MARK)[0] if page.is_file() else HEAD
    parts = [head.rstrip(), MARK, facts(study, seen, known)]
    for policy in study.policies:
        own = [result for result in known if result.policy == policy]
        if not own:
            continue
        tables = Tables(policy, Analysis(own, seen), measures(seen))
        for name, svg in tables.plots().items():
            plot = page.with_name(f"{page.stem}-{name}.svg")
            plot.write_text(svg, encoding="utf-8")
            parts.append(f"![Differences with intervals, {name}]({plot.name})")
        parts.append(tables.text)
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def facts(study: Study, seen: Seen, known: Sequence[Result]) -> str:
    """Return date, sizes, commits, cost, power and how many settings were tried on validation."""
    sizes, seeds = study.world.sizes, len({result.seed for result in known if result.row in (LOOP, ONCE)})
    tried = study.results / "validation"
    count = len(list(tried.iterdir())) if tried.is_dir() else 0
    spent = sum(result.cpu_seconds for result in known) / 60
    commits = ", ".join(sorted({result.commit for result in known}))
    return "\n".join(
        [
            f"{datetime.date.today():%d %B %Y}: {len(known)} results of {len({r.row for r in known})} rows,"
            f" {seeds} seeds, {spent:.0f} CPU minutes, code of {commits or 'no commit'}.",
            f"{sizes.part} training images a round, {sizes.rounds} rounds; {len(seen.asked)} questions about"
            f" {len(seen.bank)} images of the split `{study.world.split}`.",
            f"Sets of settings tried on validation: {count}.",
            "Intervals are 95 %, over seeds and images, both drawn again (crossed).",
            "",
            power_table(max(seeds, 1), len(seen.bank)),
        ]
    )


def label(row: str) -> str:
    bound = next((one.upper_bound for one in ROWS if one.name == row), False)
    return f"*{row}, an upper bound*" if bound else row


def cell(found: Estimate | None) -> str:
    return "" if found is None else f"{found.value:.1f} ({found.low:.1f} to {found.high:.1f})"


def difference(found: Estimate) -> str:
    return f"{found.value:+.1f} ({found.low:+.1f} to {found.high:+.1f})"


def judged(found: Contrast | None) -> str:
    if found is None:
        return ""
    return difference(found) + (", adds nothing" if found.equivalent else "")
