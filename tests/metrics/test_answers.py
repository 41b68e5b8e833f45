"""Answers as people and models write them -> what clincot-v2 reads: yes, no or neither, a gold stated or not, words."""

from __future__ import annotations

import pytest

from clincot.chain.thoughts import without_thoughts
from clincot.metrics.reading.final import final_answer
from clincot.metrics.reading.words import words
from clincot.metrics.reading.yes_no import verdict, whole_yes_no
from clincot.metrics.scoring.closed_v2 import hit, unparsed

YES = r"""
Yes
'yes'
‘yes’
“Yes.”
**Yes**
__yes__
`yes`
- Yes
# Yes
(yes)
ｙｅｓ！
yes：
Yes—there is
Yes - there is
Yes, no effusion is seen
yes there is no doubt
Yeah
True.
It is.
a yes
I would say "yes"
Therefore, yes.
No mass is seen. Yes, there is an effusion.
yes or no: yes
Is there no effusion? Yes.
Answer: yes
**Answer**: yes
**Final Answer:** Yes
### Final answer\n\nYes, because no line is seen
The correct answer is yes.
Explanation: no mass. Answer: yes
yes\nExplanation: no mass
\boxed{yes}
\boxed{no} is wrong, so \boxed{\text{Yes}}
<answer>yes</answer>
{"answer": "yes", "confidence": 0.2}
<think>no, no</think>yes
no effusion?</think> Yes
<|begin_of_thought|>no<|end_of_thought|>\n\nyes
◁think▷no◁/think▷yes
<|channel|>analysis<|message|>no<|end|><|channel|>final<|message|>yes
答案：yes
答案是：是
答案是有
是
是的。
「是的」
是的，图中有心脏
有
包含！
存在
可以
对
没错
图片中包含心脏吗？是的
是否有积液：是
图中有心脏
"""
NO = r"""
No
"no"
**No**.
NO!
No, not yes
no - none seen
no there isn't
No because the lungs are clear
Nope
False
It is not.
It isn't
Not at all
There is no effusion
Is it yes or no? No.
I think no. Final answer: no
Answer: no. The answer is based on yes
The answer is: **no**
不是
不是的。
没有
没有看到异常
沒有
否！
无
无异常
不包含
不存在
不可以
不对
未见异常
图中没有心脏
这不是X光
图片中包含心脏吗？没有
有没有：没有
最终答案：不是
"""
NEITHER = r"""
yes/no
Yes/No?
yes or no
yes, no
[yes, no]
yes and no
neither yes nor no
Please choose from the following two options: [yes, no]
I cannot say yes or no
I cannot answer "yes" or "no"
I can't confidently answer yes
Not yes
not a yes
Not yet
It is not no
If yes, then it is a tumour
I am not sure, yes or no
It cannot be determined whether there is no effusion
I do not know
The lungs are normal
nodule
yesterday
maybe
Is there no effusion?
The effusion: yes. The mass: no.
<think>yes
<think>yes, it is
。
是否
是/否
是还是不是
有没有
是不是
无法判断是否有积液
不确定
不清楚
可能
正常
不正常
"""


def lines(text: str) -> list[str]:
    return [line.replace("\\n", "\n") for line in text.strip().splitlines()]


@pytest.mark.parametrize(("said", "meant"), [("yes", YES), ("no", NO), (None, NEITHER)])
def test_an_answer_is_read_as_a_careful_reader_reads_it(said: str | None, meant: str) -> None:
    assert {text: found for text in lines(meant) if (found := verdict(text)) != said} == {}


def test_yes_golds_are_met_by_yes_in_either_language_and_neither_is_unparsed() -> None:
    assert hit("是的", "Yes") and hit("Yes.", "包含") and hit("不是", "没有")
    assert not hit("是的", "不是") and not hit("yes", "No")
    assert unparsed("yes or no", "是") and unparsed("maybe", "no") and not unparsed("no", "yes")
    assert [whole_yes_no(gold) for gold in ("YES", "No.", "不存在", "肺", "Maybe")] == ["yes", "no", "no", None, None]


STATED = [
    ("It lies in the left lung.", "Left lung", True),
    ("leftish lung", "left", False),
    ("**MRI**", "MRI", True),
    ("No, MRI", "MRI", True),
    ("MRI or CT", "MRI", False),
    ("It is an MRI or a CT scan.", "CT", False),
    ("CT/MRI", "mri", False),
    ("lung, liver or heart", "Lung", False),
    ("Is it MRI or CT? MRI.", "MRI", True),
    ("MRI or CT: MRI", "MRI", True),
    ("head/neck CT", "head/neck CT", True),
    ("not normal", "normal", False),
    ("I do not think it is left", "left", False),
    ("not the left but the right", "right", True),
    ("no contrast", "contrast", False),
    ("w/o contrast", "with contrast", False),
    ("w/ contrast", "with contrast", True),
    ("non-enhanced", "enhanced", False),
    ("There is just one", "1", True),
    ("左侧。", "左侧", True),
    ("在“左侧”", "左侧", True),
    ("左侧还是右侧", "左侧", False),
    ("横断面或冠状面", "冠状面", False),
    ("横断面还是冠状面？横断面", "横断面", True),
    ("不正常", "正常", False),
    ("不正常", "不正常", True),
    ("无异常", "异常", False),
    ("T2加权", "T2", True),
    ("Да, есть.", "да", True),
    ("anything", "", False),
    ("", "left", False),
]


@pytest.mark.parametrize(("said", "gold", "right"), STATED)
def test_any_other_gold_is_stated_and_neither_denied_nor_offered(said: str, gold: str, right: bool) -> None:
    assert hit(said, gold) is right


def test_words_of_every_script_survive_and_marks_do_not() -> None:
    assert words("T2-weighted, “X-Ray”!") == ("t2", "weighted", "x", "ray")
    assert words("左肺，T2加权。") == ("左", "肺", "t2", "加", "权")
    assert words("The patient’s two lungs") == ("patients", "2", "lungs")
    assert words("１，０００ ml") == words("1,000 ml") == ("1000", "ml")
    assert words("< 3 cm") != words("> 3 cm") != words("3 cm")
    assert words("5 %") == words("5%") != words("5")
    assert words("हिन्दी") == ("हिन्दी",)
    assert words("правое лёгкое") == ("правое", "лёгкое")
    assert words("<b>A</b>") == ("a",)
    assert words(" — 。") == ()


def test_a_final_answer_is_found_and_an_unfinished_thought_leaves_none() -> None:
    assert final_answer("Left lung.\nExplanation: the answer") == "Left lung"
    assert final_answer("Answer: left lung\n\nThe opacity lies there.") == "left lung"
    assert final_answer("Answer:") == "Answer:"
    assert final_answer("Nothing points anywhere.") == "Nothing points anywhere."
    assert without_thoughts("<think>a<think>b</think>c</think>left") == "left"
    assert without_thoughts("left <thinking>or right") == "left"
    assert without_thoughts(" as it is ") == " as it is "
