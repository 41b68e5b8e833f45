"""Cards are refused and warned about as on the Hub, when it is asked and when a commit holds one."""

from __future__ import annotations

import json
import warnings

import pytest
import yaml
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError

from clincot.localhub import LocalHub
from clincot.localhub.cards.rules import MISSING, review_card

from .conftest import REPO, Ask, commit_body, text_file

GOOD = {
    "license": "cc-by-nc-sa-4.0",
    "language": ["en", "zh", "yue", "code"],
    "tags": ["medical", "no"],
    "base_model": ["org/base.v1"],
    "base_model_relation": "adapter",
    "datasets": ["org/data", "squad"],
    "pipeline_tag": "image-text-to-text",
    "library_name": "peft",
    "thumbnail": None,
    "a_key_of_ours": {"x": [1]},
    "model-index": [
        {
            "name": "m",
            "results": [
                {
                    "task": {"type": "visual-question-answering"},
                    "dataset": {"name": "VQA-RAD", "type": "org/vqa-rad", "split": "test"},
                    "metrics": [{"type": "accuracy", "value": 0}],
                }
            ],
        },
        {"name": "without results", "results": []},
    ],
}


def review(kind: str = "model", **data: object):
    return review_card(f"---\n{yaml.safe_dump(data)}---\nText\n", kind)


def test_a_complete_card_has_neither_errors_nor_warnings():
    assert review(**GOOD) == review_card("---\nlicense: mit\n---\n", "dataset")
    for licence in ("mit", "other", ["mit", "apache-2.0"], "openrail++", "unknown"):
        assert review(license=licence).errors == (), licence


REFUSED = [
    ("model", {"license": "asdf"}, '"license" must be one of [afl-3.0, '),
    ("model", {"license": "MIT"}, '"license" must be one of'),
    ("dataset", {"license": ["mit", "asdf"]}, '"license[1]" must be one of'),
    ("dataset", {"license": 3}, '"license" must be one of'),
    ("model", {"license": "other", "license_name": "My Licence"}, "fails to match the required pattern"),
    ("dataset", {"tags": "medical"}, '"tags" must be an array'),
    ("dataset", {"tags": ["medical", False]}, '"tags[1]" must be a string'),
    ("space", {"tags": {"a": 1}}, '"tags" must be an array'),
    ("dataset", {"language": "english"}, '"language" with value "english" is not valid'),
    ("dataset", {"language": ["en", "qx"]}, '"language[1]" with value "qx" is not valid'),
    ("dataset", {"language": ["zh-CN"]}, '"language[0]" must only contain lowercase'),
    ("dataset", {"language": [False]}, '"language[0]" must be a string'),  # `no` in YAML
    ("model", {"base_model": "/content/model"}, "Use a model id from https://hf.co/models"),
    ("model", {"base_model": ["a/b", "../c"]}, '"base_model[1]" with value "../c" is not valid'),
    ("model", {"datasets": ["a/b/c"]}, "use a dataset id from https://hf.co/datasets"),
    ("model", {"base_model_relation": "child"}, '"base_model_relation" must be one of'),
    ("model", {"pipeline_tag": ["image-to-text"]}, '"pipeline_tag" must be a string'),
    ("model", {"library_name": 1}, '"library_name" must be a string'),
    ("dataset", {"configs": {"config_name": "a"}}, '"configs" must be an array'),
    ("dataset", {"configs": [{"data_files": "x"}]}, '"configs[0].config_name" must be a string'),
    ("dataset", {"dataset_info": "x"}, '"dataset_info" must be an object'),
    ("dataset", {"task_categories": [1]}, '"task_categories[0]" must be a string'),
    ("space", {"sdk": "flask"}, '"sdk" must be one of [gradio'),
    ("space", {"colorFrom": "black"}, '"colorFrom" must be one of [red'),
    ("model", {"model-index": "foo"}, '"model-index" must be an array'),
    ("model", {"model-index": [{"results": []}]}, '"model-index[0].name" is required'),
    ("model", {"model-index": [{"name": "m", "results": [{}]}]}, '"model-index[0].results[0].task" is required'),
    ("model", {"model-index": [{"name": "m"}]}, '"model-index[0].results" is required'),
]


@pytest.mark.parametrize(("kind", "data", "message"), REFUSED)
def test_what_the_hub_refuses_is_refused_in_its_words(kind: str, data: dict, message: str):
    assert any(message in error for error in review(kind, **data).errors), review(kind, **data)


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        (("dataset", "name"), None, '"model-index[0].results[0].dataset.name" is required'),
        (("dataset", "type"), None, '"model-index[0].results[0].dataset.type" is required'),
        (("dataset", "config"), 3, '"model-index[0].results[0].dataset.config" must be a string'),
        (("task", "type"), [], '"model-index[0].results[0].task.type" must be a string'),
        (("metrics", 0, "value"), None, '"model-index[0].results[0].metrics[0].value" is required'),
        (("metrics", 0, "type"), 1, '"model-index[0].results[0].metrics[0].type" must be a string'),
        (("metrics",), {"type": "x"}, '"model-index[0].results[0].metrics" must be an array'),
    ],
)
def test_every_part_of_a_result_is_checked_at_its_place(part: tuple, value: object, message: str):
    card = json.loads(json.dumps(GOOD))
    held = card["model-index"][0]["results"][0]
    for key in part[:-1]:
        held = held[key]
    held[part[-1]] = value
    assert review(**card).errors == (message,)


def test_warnings_do_not_refuse():
    assert review(pipeline_tag="image-to-poem").errors == ()
    assert (
        'The pipeline_tag "image-to-poem" is not in the official list'
        in review(pipeline_tag="image-to-poem").warnings[0]
    )
    assert len(review("dataset", task_categories=["x", "y"], size_categories=["1K<n<10K", "many"]).warnings) == 3
    for text in ("no card", "---\n---\nText", "---\n# only a comment\n---\n", ""):
        assert (review_card(text, "model").errors, review_card(text, "model").warnings) == ((), (MISSING,)), text


def test_a_client_sees_errors_and_warnings(api: HfApi):
    with pytest.raises(ValueError, match=r'Invalid metadata in README.md.\n- "license" must be one of'):
        api.upload_file(path_or_fileobj=b"---\nlicense: asdf\n---\n", path_in_repo="README.md", repo_id=REPO)
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        api.upload_file(path_or_fileobj=b"no card", path_in_repo="README.md", repo_id=REPO)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        api.upload_file(path_or_fileobj=b"---\nlicense: mit\n---\n", path_in_repo="README.md", repo_id=REPO)


def test_a_commit_that_did_not_ask_is_refused_whole(api: HfApi, ask: Ask, hub: LocalHub):
    bad = text_file("README.md", "---\nlicense: asdf\ntags: x\n---\n")
    answer = ask("POST", f"/api/models/{REPO}/commit/main", commit_body(text_file("a.txt", "x"), bad), token=hub.token)
    assert (answer.status, len(answer.json["errors"])) == (400, 2)
    assert '"license" must be one of' in answer.headers["x-error-message"]
    assert api.list_repo_files(REPO) == [".gitattributes"]
    below = text_file("docs/README.md", "---\nlicense: asdf\n---\n")
    assert ask("POST", f"/api/models/{REPO}/commit/main", commit_body(below), token=hub.token).status == 200


def test_the_kind_of_repo_decides_which_rules_hold(api: HfApi):
    card = b"---\nconfigs: x\n---\n"
    api.create_repo("clincot/data", repo_type="dataset")
    for kind, repo, refused in (("model", REPO, False), ("dataset", "clincot/data", True)):
        adds = [CommitOperationAdd("README.md", card)]
        if not refused:
            api.create_commit(repo, adds, commit_message="card", repo_type=kind)
            continue
        with pytest.raises((ValueError, HfHubHTTPError), match="configs"):
            api.create_commit(repo, adds, commit_message="card", repo_type=kind)
