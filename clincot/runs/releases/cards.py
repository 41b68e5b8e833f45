"""The lineages of every round that a repo holds -> its README.md: YAML front matter and Markdown, as pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clincot.records.lineage import Lineage

NAMES = {"clincot": "ClinCoT (reconstruction)", "sft": "SFT (our settings)", "dpo": "DPO (open-model pairs)"}
TAGS = ("medical", "clincot")
# From what binds least to what binds most; a licence that is not here counts as the strictest and is named in full.
LICENCES = [
    "cc0-1.0",
    "mit",
    "apache-2.0",
    "cc-by-3.0",
    "cc-by-4.0",
    "cc-by-sa-3.0",
    "cc-by-sa-4.0",
    "cc-by-nc-3.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
    "cc-by-nd-4.0",
    "cc-by-nc-nd-4.0",
]
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

Rounds = Mapping[str, Lineage]
Row = Mapping[str, Any]
Ordered = list[tuple[str, Lineage]]


def dataset_card(repo: str, lineages: Rounds) -> str:
    """Render the card of a preference dataset from the lineage of each of its rounds (name -> lineage)."""
    rounds = _ordered(lineages)
    pairs = sum(lineage.facts.get("pairs", 0) for _, lineage in rounds)
    metadata = {
        "language": _languages(rounds),
        **_licence(rounds),
        "task_categories": ["visual-question-answering"],
        "tags": [*TAGS, "preference", "dpo", "image", "text"],
        "size_categories": [next((name for limit, name in SIZES if pairs < limit), "n>1M")],
        "source_datasets": _distinct(lineage.facts.get("source") for _, lineage in rounds),
        "configs": [config for name, lineage in rounds for config in _configs(name, lineage, name == rounds[-1][0])],
    }
    return _render("dataset", repo, rounds, metadata)


def adapter_card(repo: str, lineages: Rounds, evaluations: Rounds | None = None) -> str:
    """Render the card of a LoRA adapter; rows of `evaluations` become its model-index and a table."""
    rounds = _ordered(lineages)
    scored = _ordered(evaluations) if evaluations else []
    results = _all_rows(scored)
    index = _model_index(repo, rounds, scored)
    base, base_sha = _base(rounds)
    metadata = {
        "library_name": "peft",
        **_licence(rounds),
        "base_model": base,
        "base_model_relation": "adapter",
        "datasets": _distinct(made.trained_on(repo) for _, made in rounds),
        "pipeline_tag": "image-text-to-text",
        "language": _languages(rounds),
        "tags": [*TAGS, "lora", "dpo", "trl"],
        **({"model-index": index} if index else {}),
    }
    shown = {"tables": _tables(results), "results_repo": f"{repo}-results" if results else ""}
    return _render("adapter", repo, rounds, metadata, base=base, base_sha=base_sha, scored=scored[-1:], **shown)


def results_card(repo: str, lineages: Rounds) -> str:
    """Render the card of evaluation results: the headline numbers of every round, each under its protocol."""
    rounds = _ordered(lineages)
    metadata = {
        "language": _languages(rounds),
        **_licence(rounds),
        "task_categories": ["visual-question-answering"],
        "tags": [*TAGS, "evaluation"],
        "configs": [
            {"config_name": f"{name}-predictions", "data_files": _split("test", f"{name}-predictions/*.parquet")}
            for name, lineage in rounds
            if lineage.facts.get("predictions")
        ],
    }
    return _render("results", repo, rounds, metadata, tables=_tables(_all_rows(rounds)))


def cards_folder() -> Path:
    """Return the folder of card templates, in the wheel or in a checkout."""
    inside = Path(__file__).parents[2] / "_hub_cards"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "hub_cards"


def method_name(method: str) -> str:
    """Return what a card calls a method: never the bare name, as prompts and models are ours."""
    return NAMES.get(method, f"{method}-style")


def _render(template: str, repo: str, rounds: Ordered, metadata: Mapping[str, Any], **more: Any) -> str:
    jinja = Environment(
        loader=FileSystemLoader(cards_folder()),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.filters |= {"cell": _cell, "number": _number, "bytes": _megabytes}
    filled = {key: value for key, value in metadata.items() if value not in (None, [], "")}
    front = yaml.safe_dump(filled, sort_keys=False, allow_unicode=True, width=1000)
    return jinja.get_template(f"{template}.md.jinja").render(
        metadata=front,
        repo=repo,
        rounds=rounds,
        latest=rounds[-1][0],
        last=rounds[-1][1],
        licence=_strictest(rounds),
        withheld=any(made.facts.get("withheld") for _, made in rounds),
        method=method_name(rounds[-1][1].method),
        drops=_distinct(reason for _, lineage in rounds for reason in lineage.facts.get("drops", {})),
        **more,
    )


def _ordered(lineages: Rounds) -> Ordered:
    if not lineages:
        raise ValueError("a card needs the lineage of at least one round")
    return sorted(lineages.items(), key=lambda item: (item[1].round, item[0]))


def _configs(name: str, lineage: Lineage, default: bool) -> list[dict[str, Any]]:
    pairs = {"config_name": name, "data_files": _split("train", f"{name}/*.parquet")}
    configs = [pairs | ({"default": True} if default else {})]
    for config, fact in ((f"{name}-candidates", "candidates"), (f"{name}-regions", "hypotheses")):
        if lineage.facts.get(fact):
            configs.append({"config_name": config, "data_files": _split("train", f"{config}/*.parquet")})
    return configs


def _split(name: str, path: str) -> list[dict[str, str]]:
    return [{"split": name, "path": path}]


def _strictest(rounds: Ordered) -> str:
    named = {str(made.facts["licence"]) for _, made in rounds if made.facts.get("licence")}
    return max(sorted(named), key=_strictness, default="")


def _strictness(licence: str) -> int:
    return LICENCES.index(licence.lower()) if licence.lower() in LICENCES else len(LICENCES)


def _licence(rounds: Ordered) -> dict[str, str]:
    strictest = _strictest(rounds)
    if strictest.lower() in LICENCES or not strictest:
        return {"license": strictest.lower()}
    return {"license": "other", "license_name": strictest.lower().replace(" ", "-")}


def _languages(rounds: Ordered) -> list[str]:
    return _distinct(code for _, made in rounds for code in made.facts.get("languages", ())) or ["en"]


def _base(rounds: Ordered) -> tuple[str, str]:
    """Return the base policy's repo and commit, as the latest round pinned it."""
    pins = [made.pins["policy"] for _, made in rounds if "policy" in made.pins]
    return (pins[-1].repo, pins[-1].sha) if pins else ("", "")


def _all_rows(rounds: Ordered) -> list[Row]:
    """Return the rows of all rounds; a later evaluation of the same thing replaces the earlier."""
    rows: dict[tuple[Any, ...], Row] = {}
    for _, lineage in rounds:
        for row in lineage.facts.get("rows", ()):
            rows[tuple(row.get(key) for key in ("protocol", "policy", "inference", "metric"))] = row
    return list(rows.values())


def _model_index(repo: str, rounds: Ordered, evaluations: Ordered) -> list[dict[str, Any]]:
    """Return the Hub's model-index of the rows that this repo's rounds earned (not those of the base or a control)."""
    headlines = [row for row in _all_rows(evaluations) if row.get("headline", True) and row.get("value") is not None]
    ours = [row for row in headlines if row.get("policy") in dict(rounds)]
    if not ours:
        return []
    last = evaluations[-1][1]
    pin = last.pins.get("benchmark")
    dataset = {"name": last.facts.get("called", last.benchmark), "type": pin.repo if pin else last.benchmark}
    dataset |= {"split": last.facts.get("split", "test")} | ({"revision": pin.sha} if pin else {})
    metrics = [{"type": r["metric"], "value": r["value"], "name": _metric_name(r)} for r in ours if r.get("metric")]
    result = {"task": {"type": "visual-question-answering"}, "dataset": dataset, "metrics": metrics}
    return [{"name": repo.split("/")[-1], "results": [result]}]


def _tables(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return a table per protocol: a line per policy, inference and control, a column per headline metric."""
    tables = []
    for protocol in _distinct(row.get("protocol") for row in rows):
        shown = [row for row in rows if row.get("protocol") == protocol and row.get("headline", True)]
        cells = {(_label(row), row.get("metric")): _percent(row) for row in shown}
        names = {row.get("metric"): row.get("title") or row.get("metric") for row in shown}
        counts = {name: {row.get("n") for row in shown if row.get("metric") == name} for name in names}
        header = [f"{names[n]} (n {_number(*counts[n])})" if len(counts[n]) == 1 else names[n] for n in names]
        lines = [[label, *(cells.get((label, n), "") for n in names)] for label in _distinct(map(_label, shown))]
        tables.append({"protocol": protocol, "header": header, "lines": lines})
    return tables


def _label(row: Row) -> str:
    """Return how a line is called; controls carry their inference in their name already."""
    policy, inference = str(row.get("policy", "")), row.get("inference")
    return policy if " · " in policy or not inference else f"{policy} · {inference}"


def _percent(row: Row) -> str:
    if row.get("value") is None:
        return ""
    interval = f" [{100 * row['low']:.1f}, {100 * row['high']:.1f}]" if row.get("low") is not None else ""
    return f"{100 * row['value']:.1f}{interval}{row.get('mark', '')}"


def _metric_name(row: Row) -> str:
    interval = f", 95% {_number(row['low'])} to {_number(row['high'])}" if row.get("low") is not None else ""
    number = f", n {row['n']}" if row.get("n") is not None else ""
    return f"{row['metric']} ({row['policy']}, {row.get('inference', '')}, {row.get('protocol', '')}{number}{interval})"


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(value for value in values if value))


def _cell(value: Any) -> str:
    """Keep text within its table cell or list line."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")


def _number(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else _cell(value)


def _megabytes(value: int | None) -> str:
    return "" if value is None else f"{value / 1e6:,.2f} MB"
