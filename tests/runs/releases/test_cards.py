from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from huggingface_hub import DatasetCard, ModelCard

from clincot.localhub.cards.card import complaints
from clincot.recipe import Load
from clincot.records.lineage import Lineage, OwnPin, Pin
from clincot.runs import exporting
from clincot.runs.releases import cards
from clincot.stages.train.export import Merged

PINS = {
    "policy": Pin("model", "clincot/phantom-policy", "main", "a" * 40),
    "benchmark": Pin("dataset", "clincot/phantom", "main", "b" * 40),
}
OWN = {"preferences": OwnPin("dataset", "run-preferences", "round-2", "c" * 64)}
BUILD = {
    "questions": 40,
    "images": 20,
    "pairs": 61,
    "candidates": 1234,
    "drops": {"gap under min_gap": 7, "no | region": 2},
    "unreadable_images": ["broken.png"],
    "judges": [{"repo": "clincot/judge-1", "context": "reference", "sees_reference": True}],
    "scores_histogram": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    "mean_words_chosen": 12.5,
    "mean_words_rejected": 9.25,
    "licence": "cc0-1.0",
    "size_bytes": 1_300_000,
    "distinct_image_bytes": 1_000_000,
    "source": "clincot/phantom",
    "seconds": 12.0,
}
TRAIN = {
    "pairs": 61,
    "steps": 16,
    "first_loss": 0.70411,
    "known_first_loss": 0.70411,
    "final_loss": 0.61,
    "reward_accuracy": 0.75,
    "trainable_parameters": 4096,
    "lora": {"r": 8, "lora_alpha": 16},
    "conditioning": "per_side",
    "margin": {"kind": "linear", "scale": 1.0},
}
ROWS = [
    {"policy": policy, "inference": "region", "metric": "accuracy", "value": value, "low": 0.5, "high": 0.7, "n": 300}
    | {"protocol": "clincot-v1"}
    for policy, value in (("base", 0.55), ("round-2", 0.625), ("black_image", 0.31))
]


EVALUATED = {"rows": ROWS, "split": "test", "licence": "cc0-1.0"}


def made(stage, number, facts, method="clincot", pins=PINS, own=None):
    return Lineage(
        stage,
        "run",
        number,
        method,
        "phantom",
        "d" * 64,
        "k",
        0,
        pins=pins,
        own=own or {},
        sampled_from="base",
        facts=facts,
    )


def test_the_dataset_card_configures_every_round_and_defaults_to_the_latest():
    rounds = {f"round-{n}": made("build-data", n, BUILD) for n in (10, 1, 2)}
    data = DatasetCard(cards.dataset_card("clincot/run-preferences", rounds)).data.to_dict()
    configs = {config["config_name"]: config for config in data["configs"]}
    names = ["round-1", "round-2", "round-10"]
    assert list(configs) == [full for name in names for full in (name, f"{name}-candidates")]
    assert [name for name, config in configs.items() if config.get("default")] == ["round-10"]
    assert configs["round-2"]["data_files"] == [{"split": "train", "path": "round-2/*.parquet"}]
    assert (data["license"], data["size_categories"]) == ("cc0-1.0", ["n<1K"])
    assert data["task_categories"] == ["visual-question-answering"]


def test_the_dataset_card_says_how_it_was_made_and_how_to_load_it():
    text = cards.dataset_card("clincot/run-preferences", {f"round-{n}": made("build-data", n, BUILD) for n in (1, 2)})
    assert "ClinCoT (reconstruction)" in text and "Not for clinical use" in text
    assert 'load_dataset("clincot/run-preferences", "round-2", revision="round-2", split="train")' in text
    assert "the reference answer was shown to it" in text
    assert "| round-1 | 40 | 20 | 61 | 1,234 | 1.30 MB | 1.00 MB |" in text
    assert "| round-1 | 12.5 | 9.25 |" in text
    assert "| round-2 | 7 | 2 |" in text and "no \\| region" in text
    assert "`broken.png`" in text and "a" * 40 in text


def test_the_dataset_card_says_what_was_looked_for_how_it_was_judged_and_what_was_drawn_again():
    pairing = {"pairs_per_step": 2, "min_gap": 0.05, "pair_scope": "any", "gamma": 0.5, "consensus": "agreement"}
    facts = BUILD | {
        "hypotheses": 120,
        "drops": {"hypotheses without a region": 9},
        "image_layout": "canvas",
        "image_fit": "pad",
        "judging": {"context": "blind", "scoring": "yesno", "consensus": "min"},
        "pairing": pairing,
    }
    first, second = (
        made("build-data", 1, facts),
        made(
            "build-data",
            2,
            facts | {"paired_from": {"tag": "round-2", "before": pairing | {"min_gap": 0.3}}},
        ),
    )
    text = cards.dataset_card("clincot/run-preferences", {"round-1": first, "round-2": second})
    assert "| round-1 | 120 | 9 | one canvas |" in text
    assert "Images of round-1 reached the policy with `image_fit: pad`.\n" in text
    assert "round-1: scoring `yesno`.\n" in text and "Look-ahead weight gamma 0.5; at most 2 pairs a step" in text
    assert "among the candidates of `round-2`" in text and "min_gap 0.3" in text and text.count("drawn again") == 1
    configs = [config["config_name"] for config in DatasetCard(text).data.to_dict()["configs"]]
    assert configs[:3] == ["round-1", "round-1-candidates", "round-1-regions"]


def test_the_adapter_card_parses_as_a_peft_adapter_with_its_results():
    rounds = {f"round-{n}": made("train", n, TRAIN, own=OWN) for n in (1, 2)}
    rounds["sft"] = made("train", 0, TRAIN)
    text = cards.adapter_card("clincot/run", rounds, {"round-2": made("evaluate", 2, EVALUATED)})
    data = ModelCard(text).data
    assert (data.library_name, data.base_model) == ("peft", "clincot/phantom-policy")
    assert data.to_dict()["base_model_relation"] == "adapter"
    assert data.datasets == ["clincot/phantom", "clincot/run-preferences"]
    assert f"| round-2 | preferences | dataset clincot/run-preferences | round-2 | content `{'c' * 64}` |" in text
    assert data.pipeline_tag == "image-text-to-text"
    (result,) = data.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_revision) == ("accuracy", 0.625, "b" * 40)
    assert "clincot-v1" in result.metric_name and "n 300" in result.metric_name
    assert 'PeftModel.from_pretrained(base, "clincot/run", revision="round-2")' in text
    assert "| round-2 | 61 | 16 | 0.7041 | 0.7041 | 0.61 | 0.75 | 4,096 |" in text
    assert "DPO with a margin from the pairs' scores: linear × 1; crops: per_side; LoRA lora_alpha 16, r 8" in text
    assert "Pairs: `clincot/run-preferences`; the dataset's card says how they were made." in text
    assert "image_fit" not in text
    assert "quantised" not in text and "QLoRA" not in text and "loaded with" not in text
    padded = cards.adapter_card("clincot/run", {"round-1": made("train", 1, TRAIN | {"image_fit": "pad"}, own=OWN)})
    assert "× 1; images fitted by `image_fit: pad`; crops: per_side" in padded


def test_cards_say_which_models_were_loaded_in_other_weights():
    loads = {"policy": {"quantization": "nf4", "dtype": "bfloat16"}, "judge-2": {"quantization": "int8"}}
    text = cards.dataset_card("clincot/run-preferences", {"round-1": made("build-data", 1, BUILD | {"loads": loads})})
    said = ", judge-2 loaded with quantization int8, policy loaded with dtype bfloat16, quantization nf4"
    assert f"sampled from the base{said}.\n" in text
    text = cards.adapter_card("clincot/run", {"round-1": made("train", 1, TRAIN | {"quantization": "nf4"}, own=OWN)})
    assert "× 1; QLoRA: the base's weights in nf4; crops: per_side" in text
    assert "trained on the base with its weights in nf4; load the base so" in text


@pytest.mark.parametrize(
    ("apart", "says"), [(0.034, "differ by 0.034 of the largest logit"), (None, "was not measured: bitsandbytes")]
)
def test_the_card_of_a_merged_model_says_that_its_adapter_was_trained_on_quantised_weights(apart, says):
    trained = exporting.trained_load(made("train", 1, TRAIN | {"quantization": "nf4", "dtype": "bfloat16"}))
    assert trained == Load(dtype="bfloat16", quantization="nf4")
    text = exporting.quantised_note(trained, Merged(Path("out"), "bfloat16", 0.0, 0.05, apart))
    assert "weights in nf4 (QLoRA)" in text and says in text
    plain = exporting.trained_load(made("train", 1, TRAIN | {"dtype": "bfloat16"}))
    assert exporting.quantised_note(plain, Merged(Path("out"), "bfloat16", 0.0, 0.05)) == ""


def test_cards_say_how_a_benchmark_that_is_cut_in_two_ways_was_cut():
    cut = {"cut": "cut by image: no test image is in train", "called": "phantom (cut by image)"}
    evaluations = {"round-2": made("evaluate", 2, EVALUATED | cut)}
    adapter = cards.adapter_card("clincot/run", {"round-2": made("train", 2, TRAIN)}, evaluations)
    results = cards.results_card("clincot/run-results", evaluations)
    assert "`phantom`: cut by image: no test image is in train." in adapter
    assert "`phantom`: cut by image: no test image is in train." in results
    assert ModelCard(adapter).data.eval_results[0].dataset_name == "phantom (cut by image)"


def test_an_adapter_card_counts_the_pairs_that_were_not_trained_on():
    dropped = {"with an empty text": 3, "whose chosen and rejected text are equal": 12}
    card = cards.adapter_card("clincot/run", {"round-1": made("train", 1, TRAIN | {"dropped_pairs": dropped})})
    assert "3 with an empty text" in card and "12 whose chosen and rejected text are equal" in card
    assert "not trained on" not in cards.adapter_card("clincot/run", {"round-1": made("train", 1, TRAIN)})


def test_an_adapter_card_names_the_likelihood_term_and_an_early_end():
    stopped = {"step": 12, "of": 60, "rewards_chosen": -0.75}
    facts = TRAIN | {"nll_weight": 0.5, "stopped": stopped}
    card = cards.adapter_card("clincot/run", {"round-1": made("train", 1, facts)})
    assert "negative log-likelihood × 0.5;" in card
    assert "training ended early, at step 12 of 60: the mean reward of chosen texts was -0.75;" in card
    plain = cards.adapter_card("clincot/run", {"round-1": made("train", 1, TRAIN)})
    assert not any(word in plain for word in ("likelihood", "ended early"))


def test_an_adapter_card_without_results_has_no_model_index():
    assert "model-index" not in cards.adapter_card("clincot/run", {"round-1": made("train", 1, TRAIN)})


def test_cards_show_headline_measures_and_index_no_control():
    rows = [ROWS[1] | {"title": "accuracy, all"}, ROWS[1] | {"metric": "closed_unparsed", "headline": False}]
    rows[0] |= {"mark": "°"}
    rows += [ROWS[1] | {"policy": "round-2 · region · black image", "mark": ""}]
    text = cards.adapter_card(
        "clincot/run",
        {"round-2": made("train", 2, TRAIN)},
        {"round-2": made("evaluate", 2, EVALUATED | {"rows": rows})},
    )
    (result,) = ModelCard(text).data.eval_results
    assert (result.metric_type, result.dataset_split) == ("accuracy", "test")
    assert "unparsed" not in text
    assert "| round-2 · region | 62.5 [50.0, 70.0]° |\n| round-2 · region · black image | 62.5 [50.0, 70.0] |" in text


def test_a_redacted_dataset_says_how_to_restore_it():
    facts = BUILD | {"withheld": True, "licence": "cc-by-nc-nd-4.0"}
    text = cards.dataset_card("clincot/run-preferences", {"round-2": made("build-data", 2, facts)})
    assert "clincot build-data --restore-images --round 2 --name run --namespace clincot --benchmark phantom" in text
    assert "restore" not in cards.dataset_card("clincot/x", {"round-2": made("build-data", 2, BUILD)})


def test_the_dataset_card_shows_figures_and_pairs_whose_texts_stay_texts():
    pair = {"question": "Is it <b>normal</b>?", "chosen": "![x](http://a/b.png) | yes", "rejected": "no\n# \u202ehead"}
    pair |= {"chosen_score": 0.9, "rejected_score": None, "image": "round-2/figures/pair-1.png"}
    figures = [{"title": "Margins of the pairs", "path": "round-2/figures/margins.png"}]
    text = cards.dataset_card(
        "clincot/x",
        {
            "round-1": made("build-data", 1, BUILD),
            "round-2": made("build-data", 2, BUILD | {"figures": figures, "shown_pairs": [pair]}),
        },
    )
    assert "![Margins of the pairs, round-2](round-2/figures/margins.png)" in text
    line = next(line for line in text.splitlines() if "pair-1.png" in line)
    assert line == (
        r"| round-2 | Is it \<b\>normal\<\/b\>\? | ![What was seen](round-2/figures/pair-1.png) |"
        r" \!\[x\]\(http\:\/\/a\/b\.png\) \| yes (0.9) | no \# head |"
    )
    assert "A few pairs" not in cards.dataset_card("clincot/x", {"round-1": made("build-data", 1, BUILD)})


def test_the_results_card_shows_each_row_once_and_the_controls():
    old = [ROWS[0] | {"value": 0.1}]
    rounds = {"base": made("evaluate", 0, {"rows": old}), "round-2": made("evaluate", 2, {"rows": ROWS})}
    text = cards.results_card("clincot/run-results", rounds)
    assert "Protocol `clincot-v1`" in text and "| | accuracy (n 300) |" in text
    assert "| base · region | 55.0 [50.0, 70.0] |" in text
    assert "| black_image · region | 31.0 [50.0, 70.0] |" in text
    assert "10.0" not in text
    assert DatasetCard(text).data.to_dict()["tags"] == ["medical", "clincot", "evaluation"]


@pytest.mark.parametrize("facts", [{}, {"pairs": 3}, BUILD | TRAIN | {"rows": ROWS}])
@pytest.mark.parametrize("method", ["clincot", "povid"])
def test_every_card_renders_from_any_facts_and_passes_the_hubs_rules(facts, method):
    made_by = {"round-1": made("build-data", 1, facts, method, pins=PINS if facts else {})}
    for render, kind in (
        (cards.dataset_card, "dataset"),
        (cards.adapter_card, "model"),
        (cards.results_card, "dataset"),
    ):
        text = render("clincot/x", made_by)
        assert complaints(text, kind) == []
        assert yaml.safe_load(text.split("---")[1])["tags"][:2] == ["medical", "clincot"]
        assert "\n\n\n\n" not in text
        assert ("ClinCoT (reconstruction)" in text) == (method == "clincot")


@pytest.mark.parametrize(
    ("licences", "shown"),
    [
        (["cc0-1.0", "CC-BY-NC-ND-4.0", "cc-by-4.0"], {"license": "cc-by-nc-nd-4.0"}),
        (["cc0-1.0", "Hospital terms"], {"license": "other", "license_name": "hospital-terms"}),
    ],
)
def test_the_strictest_licence_of_the_sources_is_the_cards(licences, shown):
    rounds = {f"round-{i}": made("build-data", i, BUILD | {"licence": name}) for i, name in enumerate(licences)}
    data = yaml.safe_load(cards.dataset_card("clincot/x", rounds).split("---")[1])
    assert {key: data[key] for key in shown} == shown


def test_tables_keep_their_columns_in_every_card():
    text = cards.dataset_card("clincot/x", {f"round-{n}": made("build-data", n, BUILD) for n in (1, 2)})
    text += cards.adapter_card(
        "clincot/x", {"round-2": made("train", 2, TRAIN)}, {"round-2": made("evaluate", 2, EVALUATED)}
    )
    text += cards.results_card("clincot/x", {"round-2": made("evaluate", 2, EVALUATED)})
    for block in text.split("\n\n"):
        rows = [line.replace("\\|", "") for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1, block
        assert not rows or set(rows[1]) <= set("|-: "), block


def test_the_templates_are_where_the_package_looks():
    folder = cards.cards_folder()
    assert {path.name for path in Path(folder).glob("*.jinja")} >= {
        f"{n}.md.jinja" for n in ("dataset", "adapter", "results")
    }
