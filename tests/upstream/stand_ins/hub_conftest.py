"""The fixtures huggingface_hub's tests ask for, over the Hub at HF_ENDPOINT; those of the public Hub are left out."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, RepoUrl, constants
from huggingface_hub.utils import _auth

from .testing_constants import ENDPOINT_STAGING, TOKEN, USER
from .testing_utils import repo_name

RepoFactory = Callable[..., RepoUrl]
PUBLIC_ONLY = ("production", "xet", "git_lfs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what asks the public Hub's own repos, Xet's servers or a git-lfs remote."""
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in PUBLIC_ONLY)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(autouse=True)
def _caches_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder: Path = tmp_path_factory.mktemp("client")
    monkeypatch.setattr(constants, "HF_HOME", str(folder))
    for name in ("HF_HUB_CACHE", "HF_ASSETS_CACHE", "HF_TOKEN_PATH", "HF_STORED_TOKENS_PATH"):
        monkeypatch.setattr(constants, name, str(folder / name.lower()))
    monkeypatch.setattr(_auth, "_OAUTH_REFRESH_CACHE", None)


@pytest.fixture(scope="session")
def api() -> HfApi:
    return HfApi(endpoint=ENDPOINT_STAGING, token=TOKEN)


@pytest.fixture(scope="session")
def api_prod() -> HfApi:
    return HfApi(endpoint=ENDPOINT_STAGING)


@pytest.fixture
def new_repo_id(api: HfApi) -> Iterator[str]:
    repo_id = f"{USER}/{repo_name()}"
    yield repo_id
    api.delete_repo(repo_id, missing_ok=True)


@pytest.fixture
def repo_factory(api: HfApi) -> Iterator[RepoFactory]:
    """Make repos that are deleted after the test, whatever became of them."""
    made: list[tuple[RepoUrl, str | None]] = []

    def make(repo_type: str = "model", repo_id: str | None = None, token: str | None = None, **options) -> RepoUrl:
        url = api.create_repo(repo_id or repo_name(), repo_type=repo_type, token=token, **options)
        made.append((url, token))
        return url

    yield make
    for url, token in made:
        api.delete_repo(url.repo_id, repo_type=url.repo_type, token=token, missing_ok=True)
