"""The fixtures datasets' tests of the Hub ask for, over the Hub at HF_ENDPOINT."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import datasets.config
import pytest
from huggingface_hub import HfApi
from PIL import Image

from .fixtures.hub import CI_HUB_ENDPOINT, CI_HUB_USER, CI_HUB_USER_TOKEN

IMAGE = Path(__file__).parent / "features/data/test_image_rgb.jpg"
api = HfApi(endpoint=CI_HUB_ENDPOINT, token=CI_HUB_USER_TOKEN)


@pytest.fixture(autouse=True, scope="session")
def _an_image() -> None:
    """The sdist leaves out the image that two tests push."""
    IMAGE.parent.mkdir(parents=True, exist_ok=True)
    Image.linear_gradient("L").convert("RGB").resize((64, 48)).save(IMAGE)


@pytest.fixture(autouse=True)
def _caches_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("datasets")
    for name in ("HF_DATASETS_CACHE", "HF_MODULES_CACHE", "DOWNLOADED_DATASETS_PATH", "EXTRACTED_DATASETS_PATH"):
        monkeypatch.setattr(datasets.config, name, folder / name.lower())


@pytest.fixture
def ci_hub_config() -> None:
    """HF_ENDPOINT points every library at the Hub already."""


@pytest.fixture
def set_ci_hub_access_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", CI_HUB_USER_TOKEN)


@pytest.fixture
def cleanup_repo() -> Callable[[str], None]:
    return lambda repo: api.delete_repo(repo, repo_type="dataset", missing_ok=True)


@pytest.fixture
def temporary_repo(cleanup_repo: Callable[[str], None]) -> Callable:
    @contextmanager
    def named(repo: str | None = None) -> Iterator[str]:
        """The name of a dataset, deleted at the end; the test makes it."""
        repo = repo or f"{CI_HUB_USER}/test-{secrets.token_hex(6)}"
        try:
            yield repo
        finally:
            cleanup_repo(repo)

    return named


@pytest.fixture
def temporary_bucket() -> Callable:
    @contextmanager
    def made() -> Iterator[str]:
        yield api.create_bucket(f"{CI_HUB_USER}/test-{secrets.token_hex(6)}").bucket_id

    return made


@pytest.fixture
def text_file(tmp_path: Path) -> str:
    path = tmp_path / "file.txt"
    path.write_text("a line\nand another\n")
    return str(path)


def _with_text(tmp_path: Path, text_file: str, **settings: object) -> Iterator[str]:
    repo = api.create_repo(f"{CI_HUB_USER}/text-{secrets.token_hex(6)}", repo_type="dataset").repo_id
    api.upload_file(path_or_fileobj=text_file, path_in_repo="data/text_data.txt", repo_id=repo, repo_type="dataset")
    api.update_repo_settings(repo, repo_type="dataset", **settings)
    yield repo
    api.delete_repo(repo, repo_type="dataset")


@pytest.fixture
def hf_gated_dataset_repo_txt_data(tmp_path: Path, text_file: str) -> Iterator[str]:
    yield from _with_text(tmp_path, text_file, gated="manual")


@pytest.fixture
def hf_private_dataset_repo_txt_data(tmp_path: Path, text_file: str) -> Iterator[str]:
    yield from _with_text(tmp_path, text_file, private=True)
