"""A recipe and a target Hub -> the report of its servers: each is asked what its role will ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from clincot.engines.openai import OpenAIEngine
from clincot.engines.plain_server import PlainServer
from clincot.engines.server_look import ServerLook
from clincot.errors import ClincotError
from clincot.recipe import ModelSource, Recipe
from clincot.runs.doctor.reach import Reach, one_line
from clincot.runs.doctor.servers import checks
from clincot.runs.doctor.servers.files import reader_of
from clincot.runs.doctor.servers.questions import Asked, Pairs, asked_of, folded
from clincot.runs.doctor.servers.report import Check, Looked, ServersReport
from clincot.runs.doctor.servers.roles import served_roles
from clincot.runs.roles import asks_policy, sources_of, where_of
from clincot.runs.run import target_of

TEXT_ONLY = ("openai_text", "editor")  # kinds of judges, and the role, that read no image
PATIENCE = 120.0  # seconds of one answer; a build may wait longer


def examine_servers(recipe: Recipe, hub: str | None, *, compare: bool = False) -> ServersReport:
    """Ask every server of the recipe what its role will ask; `compare` loads the policy here too and compares.

    Where restricted data may go is checked with the recipe's names, before this. Raises RecipeError for a recipe
    without a served role.
    """
    reach = Reach(target_of(recipe, hub))
    questions = _Questions(recipe, reach)
    try:
        served = served_roles(recipe).items()
        roles = [_Role(recipe, role, source, questions, reach, compare) for role, source in served]
        looked = tuple(one for role in roles for one in role.servers())
    finally:
        reach.close()
    title = f"recipe {recipe.name} in setting {recipe.setting}"
    return ServersReport(title, recipe.benchmark, looked)


class _Questions:
    """The questions of a recipe's benchmark, read when a server needs them; `lacking`: why they are absent."""

    def __init__(self, recipe: Recipe, reach: Reach) -> None:
        self._recipe, self._reach, self.lacking = recipe, reach, ""

    @cached_property
    def asked(self) -> Asked:
        try:
            return asked_of(self._recipe, self._reach)
        except ClincotError as error:
            self.lacking = one_line(error)
            return Asked((), ())


@dataclass(frozen=True)
class _Role:
    """A role with its servers, the questions that it is asked, and where its files lie."""

    recipe: Recipe
    role: str
    source: ModelSource
    questions: _Questions
    reach: Reach
    compare: bool

    @property
    def sees(self) -> bool:
        return self.source.kind not in TEXT_ONLY and self.role not in TEXT_ONLY

    @property
    def pairs(self) -> Pairs:
        asked = self.questions.asked
        return asked.seeing if self.sees else asked.reading

    @property
    def weighs(self) -> bool:
        """Return whether next tokens are weighed: by judges and a critic, and by a policy that is one of them."""
        judges = self.role.startswith("judge") or self.role == "critic"
        itself = self.role == "policy" and asks_policy(sources_of(self.recipe))
        return (judges or itself) and self.recipe.build.judging.scoring != "generated"

    def servers(self) -> Iterator[Looked]:
        """Look at one server after the other."""
        for url in self.source.endpoint:
            server = PlainServer(url, key_env=self.source.key_env, timeout=min(PATIENCE, self.source.timeout))
            try:
                found = tuple(self._checks(url, ServerLook(server, self.source.repo)))
            finally:
                server.close()
            yield Looked(self.role, url, self.source.repo, found)

    def _checks(self, url: str, look: ServerLook) -> Iterator[Check]:
        setting = f"{where_of(self.role)}.endpoint"
        there, names = checks.reachable(look, setting, self.source.key_env)
        yield there
        if there.state == "fails":
            return
        served = checks.model(look, names)
        yield served
        if served.state == "fails":
            return
        if self.role == "policy":
            yield checks.adapters(look, int(self.recipe.train.lora.get("r", checks.RANK)))
        if not self.pairs:
            yield Check("questions", "unknown", f"none: {self.questions.lacking}")
            return
        yield from self._questioned(url, look)

    def _questioned(self, url: str, look: ServerLook) -> Iterator[Check]:
        """Yield the checks that ask the questions."""
        engine = OpenAIEngine.from_pretrained(
            self.source.repo, endpoint=url, key_env=self.source.key_env, timeout=self.source.timeout, tries=1
        )
        pairs = self.pairs
        if not self.sees and not engine.takes_system:
            pairs = tuple((folded(first), folded(second)) for first, second in pairs)
        yield from checks.texts(look, pairs, self.role == "policy")
        if self.weighs:
            yield checks.digits(engine, pairs[0][0], self.recipe.build.judging.scoring)
        read = reader_of(self.source, self.reach, self.recipe, self.sees)
        yield checks.prompt_tokens(look, pairs, read, self.source.repo)
        if self.role == "policy" and self.compare:
            yield checks.compared(look, pairs, self.recipe, self.reach)
