"""A benchmark's questions -> each by its id, or by the benchmark's own number, as a file of answers may name it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from clincot.records import Example


@dataclass(frozen=True)
class Questions:
    """The questions of a split; `where` names benchmark, split and version in messages."""

    by_id: Mapping[str, Example]
    where: str

    @classmethod
    def of(cls, examples: Iterable[Example], where: str) -> Questions:
        """Return the questions by their ids."""
        return cls({example.id: example for example in examples}, where)

    @cached_property
    def _by_number(self) -> dict[str, Example]:
        # A number that two questions share names neither.
        count = Counter(example.own_id for example in self.by_id.values())
        return {e.own_id: e for e in self.by_id.values() if e.own_id and count[e.own_id] == 1}

    def find(self, name: object) -> Example | None:
        """Return the question called `name`: an id, or the benchmark's own number as a number or as text."""
        if isinstance(name, bool) or not isinstance(name, (str, int)):
            return None
        return self.by_id.get(str(name)) if str(name) in self.by_id else self._by_number.get(str(name).strip())

    @property
    def form(self) -> str:
        """Return how a question is called here, by example."""
        example = next(iter(self.by_id.values()))
        number = f" (or its own number, {example.own_id})" if example.own_id else ""
        return f"{example.id!r}{number}"
