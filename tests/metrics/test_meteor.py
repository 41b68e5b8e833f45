"""METEOR against its measured values, the newline trap and the missing WordNet data."""

from __future__ import annotations

import nltk
import pytest

from clincot.errors import ClincotError
from clincot.metrics import load_score
from clincot.metrics.scoring.meteor import _word_net
from tests.metrics.golden import T5, T6, generated, reference_reports


@pytest.mark.parametrize(("system", "measured"), [("template", 0.4422), ("rag", 0.3093)])
def test_measured_meteor_is_reproduced(system: str, measured: float) -> None:
    assert round(load_score("meteor", "whitespace").of(*generated(system)), 4) == measured


@pytest.mark.parametrize(("text", "kind", "measured"), [(T5, "wordpunct", "45.6"), (T6, "r2gen-clean", "47.0")])
def test_the_measured_meteor_of_the_constant_template_is_reproduced(text: str, kind: str, measured: str) -> None:
    references = reference_reports()
    assert f"{100 * load_score('meteor', kind).of([text] * len(references), references):.1f}" == measured


def test_a_stem_counts_as_a_match_and_an_empty_side_as_none() -> None:
    score = load_score("meteor")
    assert score.of(["effusions"], ["effusion"]) == pytest.approx(0.5)  # one match in one chunk: 1 - .5
    assert score.of([""], ["a"]) == score.of(["a"], [""]) == score.of([], []) == 0.0


def test_a_newline_in_a_prediction_changes_nothing() -> None:
    for name in ("bleu4", "rougeL", "rougeL_coco", "meteor"):
        score = load_score(name)
        wanted = "The lungs are clear. No acute pneumothorax."
        assert score.terms("the lungs\nare clear", wanted) == score.terms("the lungs are clear", wanted)


def test_synonyms_without_wordnet_say_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nltk.data, "path", [])
    if _word_net.cache_info().currsize or not isinstance(nltk.corpus.wordnet, nltk.corpus.util.LazyCorpusLoader):
        pytest.skip("WordNet is loaded already")
    with pytest.raises(ClincotError, match="nltk.downloader wordnet"):
        load_score("meteor_wordnet").of(["a mass"], ["a tumour"])
