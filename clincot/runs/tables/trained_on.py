"""Models by repository -> what they were trained on and where that is said, for the contamination table.

Of public models this quotes their cards and papers; none of it was checked against data by this project.
"""

from __future__ import annotations

HERE = "this project's pre-training (docs/models.md)"
THERE = "this project's pre-training (docs/phantom-2.md)"
PHANTOM = "phantoms drawn with other seeds, none of which is in train, validation or test"
PHANTOM_2 = "phantoms of version 2, none of which is in train, validation or test"
TRAINED_ON: dict[str, tuple[str, str]] = {
    "clincot/phantom-policy": (f"{PHANTOM}; questions, answers and reports of them", HERE),
    "clincot/phantom-grounder": (f"{PHANTOM}; boxes of findings", HERE),
    "clincot/phantom-judge-a": ("statements about drawn findings, no image", HERE),
    "clincot/phantom-judge-b": ("statements about drawn findings, no image", HERE),
    "clincot/phantom-v2-policy": (f"{PHANTOM_2}; questions, answers and reports of them", THERE),
    "clincot/phantom-v2-policy-b": (f"{PHANTOM_2}; questions, answers and reports of them", THERE),
    "clincot/phantom-v2-grounder": (f"{PHANTOM_2}; boxes of findings", THERE),
    "clincot/phantom-v2-grounder-worse": (f"{PHANTOM_2}; boxes of findings", THERE),
    "clincot/phantom-v2-judge-a": ("statements about drawn findings, no image", THERE),
    "clincot/phantom-v2-judge-b": ("statements about drawn findings, no image", THERE),
    "clincot/phantom-v2-critic": (f"{PHANTOM_2}; statements about them and ratings", THERE),
    "clincot/phantom-v2-similarity": (f"{PHANTOM_2}, with what they show; its image tower is the policy's", THERE),
    "clincot/phantom-v2-similarity-b": (f"{PHANTOM_2}, with what they show; its image tower is the policy's", THERE),
    "openai/clip-vit-large-patch14-336": (
        "400 million image-text pairs of the public web, not published; medical images among them are not known",
        "its paper (arXiv 2103.00020)",
    ),
    "chaoyinshe/llava-med-v1.5-mistral-7b-hf": (
        "figures of PubMed Central articles with captions and generated instructions; its authors evaluate it on"
        " VQA-RAD, SLAKE and PathVQA. IU X-ray images come from PubMed's Open-i: overlap is possible, not checked",
        "its model card and paper (arXiv 2306.00890)",
    ),
    "clincot/medklip": ("MIMIC-CXR images and reports; no benchmark of the tables", "arXiv 2301.02228"),
    "m42-health/Llama3-Med42-8B": (
        "medical questions and instructions (not published in full); text only, so no image of a test split",
        "its model card",
    ),
    "Qwen/Qwen2.5-7B-Instruct": ("public text, not published in full; text only", "its model card"),
    "BioMistral/BioMistral-7B": ("PubMed Central, open access; text only", "arXiv 2402.10373"),
}
