"""A Chinese text -> the edits of its sides, denials, degrees and findings, and of what a short answer names.

Chinese has no spaces, so the text is read as a row of the longest known words: 左右 ("about") holds no side, 功能
("function") no 能 ("can"), 肺不张 ("atelectasis") no lung.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from clincot.chain.hypotheses import FINDINGS, GENERAL, ORGANS
from clincot.chain.hypotheses_zh import WORDS
from clincot.editors._edits import Edit, Place, sentences
from clincot.editors._finding_nouns import RELATED

HAN = re.compile(r"[\u3400-\u9fff]")
ITEM = re.compile(r"[^,，、;；。.\s和与及]+")
TOGETHER = re.compile(r"左\w?[、和与及]右|右\w?[、和与及]左")
# Words that hold one of the words below without meaning it.
OTHERS = (
    *(
        "左右",
        "所有",
        "只有",
        "具有",
        "拥有",
        "有时",
        "有关",
        "有可能",
        "有无",
        "有没有",
        "是否",
        "能否",
        "可否",
        "但是",
    ),
    *("还是", "于是", "或是", "可是", "总是", "只是", "对称", "相对", "对于", "针对", "功能", "可能", "能力", "能量"),
    *("无法", "大小", "不一定", "不确定", "机会", "正常人"),
)
# From what is said to what is said instead; pairs that work both ways are listed twice.
DENIALS = {
    **{"有": "没有", "没有": "有", "没": "有", "无": "有", "沒有": "有"},
    **{"是": "不是", "是的": "不是", "不是": "是", "否": "是", "不": "是"},
    **{"存在": "不存在", "不存在": "存在", "包含": "不包含", "不包含": "包含", "包括": "不包括", "不包括": "包括"},
    **{"可以": "不可以", "不可以": "可以", "能": "不能", "不能": "能", "会": "不会", "不会": "会"},
    **{"对": "不对", "不对": "对", "可见": "未见", "未见": "可见", "未发现": "发现", "发现": "未发现"},
    **{"正常": "不正常", "不正常": "正常"},
}
SIDES = {"左": "右", "右": "左"}
PAIRS = {
    "severity": (
        *(("轻度", "重度"), ("轻微", "严重"), ("少量", "大量"), ("较少", "较多"), ("较小", "较大"), ("增大", "缩小")),
        *(("增高", "降低"), ("高密度", "低密度"), ("高信号", "低信号"), ("急性", "慢性"), ("良性", "恶性")),
        *(("单侧", "双侧"), ("增强型", "非增强型"), ("规则", "不规则"), ("局限", "弥漫")),
    ),
    "location": (
        *(("上叶", "下叶"), ("上部", "下部"), ("上方", "下方"), ("上腹", "下腹"), ("上侧", "下侧"), ("上角", "下角")),
        *(("左上", "左下"), ("右上", "右下"), ("顶部", "底部"), ("前部", "后部"), ("前方", "后方"), ("内侧", "外侧")),
        *(("中央", "外周"),),
    ),
}
GROUPS: dict[str, tuple[str, ...]] = {
    "body part": ("胸腔", "腹部", "头部", "颈部", "盆腔"),
    "modality": ("核磁共振", "X光", "超声"),
    "plane": ("横断面", "冠状面", "矢状面"),
    "colour": ("黑色", "白色", "灰色"),
    "shape": ("圆形", "椭圆形", "不规则"),
    "position": ("中心", "顶部", "底部"),
    "lobe": ("额叶", "顶叶", "颞叶", "枕叶"),
    "function": ("呼吸", "推动血液流动", "储存尿液", "消化食物", "控制心跳"),
    "number": ("一个", "两个", "三个", "四个"),
    "organ": (*(WORDS[name][0] for name in ORGANS), "大肠", "牙齿"),
}
WRITTEN = {"中部": "中心", "中间": "中心", "椭圆": "椭圆形", "胸部": "胸腔", "X射线": "X光", "双肺": "肺脏"}
WRITTEN |= {word: words[0] for name, words in WORDS.items() if name in ORGANS for word in words}
NAMES = {"pneumothorax": "气胸"}  # of findings whose first word in WORDS is a special case
WHOLE = {
    "异常": "正常",
    "健康": "不健康",
    "不健康": "健康",
    "双侧": "左侧",
    "两侧": "左侧",
    "都是": "都不是",
    "都有": "都没有",
    "双肺": "左肺",
}


def edits(text: str, vocabulary: Iterable[str]) -> list[Edit]:
    """Return what can be made wrong in `text`; empty where it holds no Chinese."""
    if not HAN.search(text):
        return []
    whole = text.strip(" 。.")
    if whole in WHOLE:
        start = text.index(whole)
        return [Edit("answer", (Place(start, start + len(whole), WHOLE[whole]),))]
    words = list(_known().finditer(text))
    return [*_sides(text, words), *_pairs(words), *_findings(text, words, tuple(vocabulary)), *_named(text, words)]


def _sides(text: str, words: Sequence[re.Match[str]]) -> Iterator[Edit]:
    """Swap the sides of each sentence, as in English; 左上 (upper left) is one word and keeps its height."""
    for start, end in sentences(text):
        found = [one for one in words if start <= one.start() < end and one[0][0] in SIDES and one[0] not in OTHERS]
        if found and not TOGETHER.search(text, start, end):
            places = (Place(one.start(), one.start() + 1, SIDES[one[0][0]]) for one in found)
            yield Edit("laterality", tuple(places))


def _pairs(words: Iterable[re.Match[str]]) -> Iterator[Edit]:
    for word in words:
        for kind, other in _opposites().get(word[0], ()):
            yield Edit(kind, (Place(*word.span(), other),))


@cache
def _opposites() -> dict[str, list[tuple[str, str]]]:
    table = {word: [("negation", other)] for word, other in DENIALS.items()}
    for kind, pairs in PAIRS.items():
        for one, other in pairs:
            table.setdefault(one, []).append((kind, other))
            table.setdefault(other, []).append((kind, one))
    return table


def _findings(text: str, words: Sequence[re.Match[str]], vocabulary: Sequence[str]) -> Iterator[Edit]:
    entity = {
        word: name for name, listed in WORDS.items() if name in FINDINGS and name not in GENERAL for word in listed
    }
    said = {entity[word[0]] for word in words if word[0] in entity}
    for word in words:
        if word[0] in entity:
            excluded = said.union(*(group for group in RELATED if entity[word[0]] in group))
            options = [
                name for name in vocabulary if name in WORDS and name in FINDINGS and name not in (*excluded, *GENERAL)
            ]
            yield from (
                Edit("finding", (Place(*word.span(), _after(text, word, NAMES.get(name, WORDS[name][0]))),))
                for name in options
            )


def _after(text: str, word: re.Match[str], finding: str) -> str:
    """Return what is written for `finding`: its organ is not said twice (肺 + 肺炎)."""
    return finding[1:] if text[: word.start()].endswith(finding[0]) else finding


def _named(text: str, words: Sequence[re.Match[str]]) -> Iterator[Edit]:
    """Name another of its group in place of an item that is nothing but a name."""
    for item in ITEM.finditer(text):
        for word in words:
            if word.span() == item.span() and word[0][0] not in SIDES:
                name = WRITTEN.get(word[0], word[0])
                for kind, group in GROUPS.items():
                    if name in group:
                        options = (one for one in group if one not in (name, word[0]) and one not in text)
                        yield from (Edit(kind, (Place(*word.span(), one),)) for one in options)


@cache
def _known() -> re.Pattern[str]:
    named = {word for listed in (*WORDS.values(), *GROUPS.values()) for word in listed}
    words = named.union(OTHERS, _opposites(), SIDES, WRITTEN)
    return re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)))
