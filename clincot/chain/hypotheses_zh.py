"""Chinese words of medical questions -> the entities that they name, as `clincot.chain.hypotheses` calls them."""

from __future__ import annotations

import re
from functools import cache

# Written for the questions of SLAKE (CC BY 4.0) and for common words of reports. Chinese has no spaces between words,
# so the longest word at a place counts: a hydrocephalus is no fluid, an aneurysm no tumour.
WORDS: dict[str, tuple[str, ...]] = {
    "nodule": ("结节",),
    "consolidation": ("实变",),
    "effusion": ("胸腔积液", "胸膜积液", "心包积液", "胸水", "积液"),
    "pneumothorax": ("液气胸", "气胸"),
    "cardiomegaly": ("心脏肥大", "心脏增大", "心脏扩大", "心影增大", "心影扩大", "扩张性心肌病", "心肌病"),
    "pneumonia": ("肺炎", "肺部感染"),
    "atelectasis": ("肺不张", "肺膨胀不全"),
    "mass": ("肿块", "包块", "占位"),
    "edema": ("水肿",),
    "fracture": ("骨折",),
    "opacity": ("阴影", "浑浊", "混浊", "不透明", "磨玻璃影"),
    "hemorrhage": ("出血", "血肿"),
    "infarct": ("梗死", "梗塞", "缺血", "中风", "卒中"),
    "tumor": ("肿瘤", "瘤", "癌", "转移灶", "转移"),
    "infiltrate": ("浸润",),
    "tuberculosis": ("肺结核", "结核"),
    "emphysema": ("肺气肿",),
    "hyperinflate": ("过度充气",),
    "calcification": ("钙化",),
    "thicken": ("增厚",),
    "blunt": ("变钝",),
    "hernia": ("疝气", "疝"),
    "abscess": ("脓肿",),
    "cyst": ("囊肿", "囊性"),
    "hydrocephalus": ("脑积水",),
    "encephalomalacia": ("脑软化",),
    "atrophy": ("萎缩",),
    "aneurysm": ("主动脉瘤", "动脉瘤"),
    "lymphadenopathy": ("淋巴结肿大",),
    "gallstones": ("胆囊结石", "胆结石"),
    "appendicitis": ("阑尾炎",),
    "diverticulitis": ("憩室炎",),
    "hydronephrosis": ("肾积水",),
    "pneumoperitoneum": ("气腹", "游离气体"),
    "ascites": ("腹腔积液", "腹水"),
    "dilation": ("扩张",),
    "catheter": ("导管", "插管"),
    "fluid": ("液体",),
    "lesion": ("病变", "病灶", "损伤"),
    "disease": ("疾病", "病症", "什么病", "哪种病", "患病"),
    "heart": ("心脏", "心影"),
    "lung": ("肺脏", "肺部", "双肺", "左肺", "右肺", "肺"),
    "liver": ("肝脏", "肝"),
    "kidney": ("肾脏", "左肾", "右肾", "肾"),
    "spleen": ("脾脏", "脾"),
    "brain stem": ("脑干",),
    "brain": ("大脑", "脑部", "脑"),
    "cerebellum": ("小脑",),
    "ventricles": ("脑室", "侧脑室"),
    "stomach": ("胃部", "胃"),
    "duodenum": ("十二指肠",),
    "small bowel": ("小肠",),
    "colon": ("结肠", "大肠"),
    "rectum": ("直肠",),
    "bladder": ("膀胱",),
    "gallbladder": ("胆囊",),
    "pancreas": ("胰腺", "胰脏"),
    "appendix": ("阑尾",),
    "esophagus": ("食管", "食道"),
    "trachea": ("支气管", "气管"),
    "aorta": ("主动脉",),
    "mediastinum": ("纵隔", "纵膈"),
    "diaphragm": ("横膈膜", "膈肌", "横膈"),
    "spinal cord": ("脊髓",),
    "eye": ("眼球", "眼睛", "眼"),
    "mandible": ("下颌骨", "下颌", "下颚"),
    "parotid": ("腮腺",),
    "larynx": ("喉部", "咽喉", "喉"),
    "femoral head": ("股骨头",),
}


def entities_in_chinese(text: str) -> frozenset[str]:
    """Return the entities that the Chinese words of `text` name; a word within a longer one does not count."""
    return frozenset(_entity_of()[word] for word in _words().findall(text))


@cache
def _entity_of() -> dict[str, str]:
    return {word: entity for entity, words in WORDS.items() for word in words}


@cache
def _words() -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, _entity_of()), key=len, reverse=True)))
