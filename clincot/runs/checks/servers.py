"""A role and what its recipe says of servers -> RecipeError for what no server could be reached by."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from clincot.errors import RecipeError
from clincot.hub.names import is_url, repo_fault
from clincot.recipe import ModelSource
from clincot.recipe.public_values import is_place
from clincot.recipe.served import USUAL

LONGEST_NAME = 200
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check_server(where: str, source: ModelSource, kinds: Collection[str]) -> None:
    """Raise RecipeError unless a served kind, one of `kinds`, and its servers come together and can be asked."""
    kind = " or ".join(sorted(kinds))
    if (source.kind in kinds) != bool(source.endpoint):
        raise RecipeError(f"{where}: `kind: {kind}` and `endpoint: URL` belong together. Give both or neither.")
    if not source.endpoint:
        _check_unserved(where, source)
        return
    for url in source.endpoint:
        if not is_url(url):
            raise RecipeError(f"{where}.endpoint: {url!r} is not a URL. Write http://HOST:PORT/v1.")
        if "@" in urlsplit(url).netloc:
            raise RecipeError(
                f"{where}.endpoint: holds a name or password, and recipes are published. Put the key into the"
                f" environment variable {USUAL['key_env']} and leave it out of the URL."
            )
    if source.adapter_root and (where != "models.policy" or not PurePosixPath(source.adapter_root).is_absolute()):
        raise RecipeError(
            f"{where}.adapter_root: {source.adapter_root!r} is no place of adapters. Give the policy's alone, the"
            " absolute path at which its servers see the folder of all runs."
        )
    if not VARIABLE.fullmatch(source.key_env):  # not quoted: it may be the key
        raise RecipeError(
            f"{where}.key_env: is no name of an environment variable. Give the name of the variable that holds the"
            " key, never the key."
        )


def check_served_name(where: str, source: ModelSource) -> None:
    """Raise RecipeError for what can be no name on a server, and no repository of a tokenizer."""
    if not source.repo.isprintable() or source.repo != source.repo.strip() or len(source.repo) > LONGEST_NAME:
        raise RecipeError(f"{where}.repo: {source.repo[:LONGEST_NAME]!r} is no name of a served model.")
    if is_place(source.repo):
        raise RecipeError(
            f"{where}.repo: {source.repo!r} is a path, and names of models are published. Start the server with a name"
            " (vLLM: --served-model-name NAME, llama.cpp: --alias NAME) and give that."
        )
    if fault := repo_fault(source.tokenizer) if source.tokenizer else "":
        raise RecipeError(f"{where}.tokenizer: {source.tokenizer[:LONGEST_NAME]!r} is no repository, it {fault}.")


def _check_unserved(where: str, source: ModelSource) -> None:
    odd = next((name for name, usual in USUAL.items() if getattr(source, name) != usual), "")
    if odd:
        raise RecipeError(f"{where}.{odd}: is for models on a server, and none is given. Add {where}.endpoint.")
