"""A table of what users get wrong -> for each, how `clincot` ends: run as a program, it prints them as JSON.

All of them run in one interpreter, in one folder, so that what they import and write can be looked at afterwards.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

FILES = {
    "list.yaml": "- 1\n",
    "broken.yaml": "a: [1,\n",
    "latin.yaml": b"name: caf\xe9\n",
    "twice.yaml": "extends: clincot\nrounds: 2\nrounds: 3\n",
    "extends-list.yaml": "extends: [clincot]\n",
    "extends-none.yaml": "extends:\n",
    "extends-unknown.yaml": "extends: clincott\n",
    "extends-itself.yaml": "extends: extends-itself\n",
    "deep.yaml": "name: " + "[" * 3000 + "]" * 3000 + "\n",
    "itself.yaml": "extends: clincot\nbuild: &b\n  steps: *b\n",
    "laughs.yaml": "extends: clincot\nbuild:\n"
    + "  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
    "date.yaml": "extends: clincot\nname: 2026-99-99\n",
    "my recipe.yaml": "extends: clincot\n",
    "setting.yaml": "extends: phantom\n",
    "no-always.yaml": "extends: clincot\nalways: [rounds]\n",
    "file": "in the way\n",
    "full/rows.csv": "a\n1\n",
    "full/rows.jsonl": "",
    "answers.jsonl": "",
    "ward.py": "from dataclasses import replace\n\nfrom clincot.benchmarks.phantom import Phantom\n\n\n"
    "class Ward(Phantom):\n    source = replace(Phantom.source, name='ward', privacy='restricted')\n",
}
BUILD = ("build-data",)
LONG = "n" * 300


def values(*cases: tuple[str, str]) -> list[tuple[tuple[str, ...], str]]:
    """Return the cases of `build-data --set OVERRIDE`."""
    return [((*BUILD, "--set", override), says) for override, says in cases]


NUMBERS = values(
    ("method.temperature=nan", "not finite"),
    ("method.temperature=.nan", "not finite"),
    ("method.temperature=-.inf", "not finite"),
    ("method.temperature=-0.1", "out of range. Give a number from 0 to 10"),
    ("method.temperature=1" + "0" * 400, "not finite"),
    ("method.top_p=5", "above 0 and at most 1"),
    ("method.top_p=0", "above 0 and at most 1"),
    ("method.steps=0", "Give a whole number from 1"),
    ("method.steps=2.0", "expected int"),
    ("method.steps=yes", "expected int"),
    ("method.steps=", "expected int"),
    ("method.steps=1" + "0" * 5000, "cannot be read"),
    ("method.steps.more=1", "expected int"),
    ("method.candidates=0", "from 1"),
    ("method.samples_per_region=0", "from 1"),
    ("build.max_new_tokens=0", "from 1"),
    ("build.report_tokens=-1", "from 1"),
    ("method.pairs_per_step=0", "from 1"),
    ("method.min_gap=1.5", "from 0 to 1"),
    ("method.min_gap=-0.1", "from 0 to 1"),
    ("method.lookahead.gamma=-3", "from 0"),
    ("method.lookahead.samples=-1", "from 0"),
    ("build.regions.blur=-3", "from 0"),
    ("build.regions.blur=4", "is even"),
    ("build.regions.quantile=1.1", "from 0 to 1"),
    ("build.regions.smallest=1", "below 1"),
    ("build.regions.threshold=inf", "not finite"),
    ("build.regions.padding=-0.5", "from 0"),
    ("build.regions.least_side=-1", "from 0"),
    ("build.judging.failure_limit=2", "from 0 to 1"),
    ("build.judging.debate_rounds=0", "from 1"),
    ("build.judging.judges=3", "3 of 2 judges"),
    ("build.judging.judges=-3", "-3 of 2 judges"),
    ("build.judging.batch_size=0", "from 1"),
    ("build.max_images=-1", "from 0"),
    ("build.max_questions=-1", "from 0"),
    ("build.shard_images=0", "from 1"),
    ("build.batch_size=0", "from 1"),
    ("build.threads=0", "from 1"),
    ("build.threads=100000", "from 1 to 1,024"),
    ("rounds=-1", "from 0"),
    ("rounds=-2", "from 0"),
    ("seed=-1", "from 0"),
    ("seed=4294967296", "from 0"),
    ("train.margin.scale=-1", "from 0"),
    ("train.nll_weight=-1", "from 0"),
    ("train.feature_cache_gb=-1", "from 0"),
    ("train.threads=0", "from 1"),
    ("evaluate.max_images=-1", "from 0"),
    ("evaluate.max_new_tokens=0", "from 1"),
    ("evaluate.report_tokens=0", "from 1"),
    ("evaluate.batch_size=0", "from 1"),
    ("evaluate.resamples=0", "from 1"),
    ("evaluate.threads=-1", "from 1"),
)
CHOICES = values(
    ("biuld.steps=2", "Did you mean 'build'"),
    ("build..steps=2", "unknown key ''"),
    ("method.steps", "is not key=value"),
    ("build=3", "expected a mapping"),
    ("method.steps=[1,", "cannot be read as YAML"),
    ("method.pair_scope=within_regions", "Did you mean 'within_region'"),
    ("build.judging.consensus=median", "is not a choice"),
    ("build.judging.scoring=true", "is not a choice"),
    ("build.regions.rule=std", "is not a choice"),
    ("image_layout=both", "is not a choice"),
    ("image_fit=padded", "Did you mean 'pad'"),
    ("method=clinct", "Did you mean 'clincot'"),
    ("benchmark=vqarad", "Did you mean 'vqa-rad'"),
    ("train.objective=dpo", "is not known"),
    ("train.margin.kind=linaer", "Did you mean 'linear'"),
    ("train.conditioning=loser", "is not a choice"),
    ("train.dtype=float16", "is not a choice"),
    ("models.policy.load.quantization=nf8", "Did you mean 'nf4'"),
    ("models.policy.load.device_map=gpu1", "'gpu1' is no device"),
    ("models.proposer.load.dtype=bfloat16", "run in their own dtype"),
    ("models.editor.load.device_map=cpu", "it loads no model"),
    ("evaluate.protocol=clincot-v9", "is not a protocol"),
    ("evaluate.split=tset", "Did you mean 'test'"),
    ("evaluate.inference=[region, dirct]", "Did you mean 'direct'"),
    ("evaluate.inference=[]", "names no way to answer"),
    ("evaluate.inference=region", "expected a list"),
    ("evaluate.inference=[region, region]", "is given twice"),
    ("evaluate.controls=[question_priors]", "Did you mean 'question_prior'"),
    ("evaluate.probes=[images]", "Did you mean 'image'"),
    ("evaluate.protocol=clincot-judge-v1", "Set evaluate.probes=[judge]"),
)
TRAINING = values(
    ("train.lora.rr=1", "train.lora.rr: LoraConfig has no such setting. Did you mean"),
    ("train.lora.r=zero", "train.lora.r"),
    ("train.lora.r=0", "train.lora.r"),
    ("train.lora.lora_dropout=.nan", "not finite"),
    ("train.lora.lora_dropout=2", "train.lora.lora_dropout"),
    ("train.dpo.learning_rat=1", "Did you mean 'learning_rate'"),
    ("train.dpo.learning_rate=-1", "train.dpo.learning_rate"),
    ("train.dpo.learning_rate=fast", "train.dpo.learning_rate"),
    ("train.dpo.num_train_epochs=inf", "not finite"),
    ("train.dpo.max_length=5", "train.dpo.max_length"),
    ("train.sft.packing=true", "train.sft.packing"),
    ("train.dpo={1: 2}", "is not a text"),
)
MODELS = values(
    ("models.policy.kind=opnai", "Did you mean 'openai'"),
    ("models.policy.repo=", "a model needs its repository"),
    ("models.policy.repo=a b", "holds ' '"),
    ("models.policy.repo=/weights/llava", "is no repository"),
    ("models.policy.repo=a/b/c", "is no repository"),
    ("models.policy.revision=", "is no branch, tag or commit"),
    ("models.policy.revision=a b", "is no branch, tag or commit"),
    ("models.policy={kind: openai}", "belong together"),
    ("models.policy={kind: openai, endpoint: localhost:8000}", "is not a URL"),
    ("models.policy={kind: openai, endpoint: 'http://host:port/v1'}", "is not a URL"),
    ("models.policy.endpoint=http://127.0.0.1:8000/v1", "belong together"),
    ("models.policy={kind: openai, endpoint: [http://a:1/v1, 'b:2']}", "'b:2' is not a URL"),
    ("models.policy={kind: openai, endpoint: [http://a:1/v1, http://a:1/v1]}", "is given twice"),
    ("models.policy={kind: openai, endpoint: 8000}", "expected a URL or a list of URLs"),
    ("models.policy={kind: openai, endpoint: 'http://me:secret@host/v1'}", "holds a name or password"),
    ("models.policy={kind: openai, endpoint: http://a:1/v1, key_env: sk-x}", "never the key"),
    ("models.policy={kind: openai, endpoint: http://a:1/v1, timeout: 0}", "out of range"),
    ("models.policy.at_once=8", "is for models on a server"),
    ("models.trusted_hosts=['*']", "is no host name"),
    ("models.trusted_hosts=gpu-1", "expected a list"),
    ("models.proposer.kind=medclip", "models.proposer.kind"),
    ("models.proposer.endpoint=http://127.0.0.1:8000", "a proposer or similarity cannot be on a server"),
    ("models.judges=[{repo: a/b, kind: openai_text}]", "belong together"),
    ("models.judges=[{repo: a/b, endpoint: http://127.0.0.1:8000/v1}]", "`kind: openai or openai_text`"),
    (
        "models.editor={repo: a/b, kind: openai, endpoint: http://127.0.0.1:1, tokenizer: a b}",
        "models.editor.tokenizer",
    ),
    ("models.judges=[{repo: ' x', kind: openai, endpoint: http://127.0.0.1:1}]", "is no name of a served model"),
    ("models.proposer={repo: '', kind: ''}", "needs regions"),
    ("models.judges=[]", "none is named"),
    ("models.critic={repo: a/b, kind: policy}", "'policy' reads no model"),
    ("models.editor={kind: gpt}", "models.editor.kind"),
    ("models.similarity={repo: a/b, kind: grid}", "models.similarity.kind"),
    ("models.judges=[{kind: causal_lm}]", "models.judges.repo"),
    ("models.judges=[{repo: a/b, kind: llm}]", "models.judges.kind"),
    ("models.judges=[{repo: a/b}, {repo: a/b}]", "is given twice"),
    ("models.judge=[]", "Did you mean 'judges'"),
    ("benchmark_revision=a b", "benchmark_revision"),
)
TOGETHER = [
    ((*BUILD, *(word for value in overrides for word in ("--set", value))), says)
    for overrides, says in (
        (("method.pair_scope=within_region",), "1 text a region has none"),
        (
            ("image_fit=pad", "models.policy.kind=openai", "models.policy.endpoint=http://127.0.0.1:8000/v1"),
            "prepare images themselves",
        ),
        (("method.pair_scope=across_regions", "method.candidates=1", "method.samples_per_region=2"), "1 region has no"),
        (("method.candidates=1",), "1 candidate a step has none"),
        (
            ("method.pair_scope=within_region", "method.samples_per_region=2", "method.temperature=0"),
            "at temperature 0 all texts of a region are the same",
        ),
        (("method.lookahead.samples=0",), "0 next responses have no mean"),
        (("build.judging.consensus=debate", "build.judging.scoring=yesno"), "a debate is about digits"),
        (
            (
                *("build.judging.prefill=Score", "models.judges=[{kind: policy_itself}]"),
                *("models.policy.kind=openai", "models.policy.endpoint=http://localhost:1/v1"),
            ),
            "on a server take none",
        ),
        (("train.margin.kind=log", "method.min_gap=0"), "train.margin.kind: 'log'"),
    )
]
RECIPES = [
    ((*BUILD, "--recipe", name), says)
    for name, says in (
        ("clincott", "Did you mean 'clincot'"),
        ("", "no such recipe"),
        (LONG, "no such recipe"),
        (f"{LONG}.yaml", "no such file"),
        ("absent.yaml", "no such file"),
        ("list.yaml", "not a mapping"),
        ("broken.yaml", "cannot be read as YAML"),
        ("latin.yaml", "cannot be read as YAML"),
        ("twice.yaml", "'rounds' is given twice"),
        ("extends-list.yaml", "extends ['clincot']"),
        ("extends-none.yaml", "extends None"),
        ("extends-unknown.yaml", "Did you mean 'clincot'"),
        ("extends-itself.yaml", "2 levels are allowed"),
        ("deep.yaml", "nested too deeply"),
        ("itself.yaml", "contains itself"),
        ("laughs.yaml", "through its aliases"),
        ("date.yaml", "cannot be read as YAML"),
        ("my recipe.yaml", "is not a repository name, it holds ' '"),
        ("no-always.yaml", "'always' is a list"),
    )
]
NAMES = [
    *((("run", "--name", name), "is not a repository name") for name in ("a b", "a/b", "../a", "ünit", "a--b", "a..b")),
    *((("run", "--name", name), "is not a repository name") for name in ("-a", "a.", ".a", "a.git", LONG, "n" * 85)),
    (("run", "--name", "tree"), "is not a repository name"),
    (("train", "--namespace", "a/b"), "is not a user or organisation"),
    (("train", "--namespace", "a b"), "is not a user or organisation"),
    (("train", "--namespace", "api"), "is not a user or organisation"),
    (("demo", "--name", "my demo"), "is not a repository name"),
    (("train", "--set", "namespace=ä"), "is not a user or organisation"),
    ((*BUILD, "--setting", "phantm"), "Did you mean 'phantom'"),
    ((*BUILD, "--setting", "setting.yaml"), "'extends' belongs to recipes"),
    ((*BUILD, "--benchmark", "mimic-cxr"), "looks like MIMIC data"),
    (("run", "--public", "--benchmark", "iu-xray"), "forbids passing on"),
    *(
        ((*BUILD, "--hub", hub), "is neither local:PATH nor a URL")
        for hub in ("elsewhere", "local:", "ftp://a", "http://", "http://a:b", "http://[::1", "http://a b")
    ),
    ((*BUILD, "--hub", "local:~nobody-of-this-name/hub"), "names a user who is not here"),
]
OPTIONS = [
    ((*BUILD, "--round", "9"), "the recipe has 2 rounds"),
    ((*BUILD, "--round", "0"), "--round"),
    (("train", "--round", "-1"), "--round"),
    (("train", "--round", "3"), "the recipe has 2 rounds"),
    (("evaluate", "--round", "3"), "the recipe has 2 rounds"),
    (("export", "out", "--merged", "--round", "3"), "the recipe has 2 rounds"),
    (("export", "out"), "Give --merged"),
    (("export", "out", "--merged", "--dtype", "int8"), "--dtype int8: is not one of"),
    (("export", "full", "--merged"), "is not empty"),
    (("train", "--objective", "dpo"), "is not known"),
    (("train", "--rounds", "2"), "No such option"),
    (("trian",), "Did you mean 'train'"),
    (("evaluate", "--protocol", "vqa"), "is not a protocol"),
    (("evaluate", "--control", "black_image"), "a policy answers it"),
    (("evaluate", "--control", "prior"), "no such control"),
    (("evaluate", "--probe", "image,fait"), "--probe fait: no such probe"),
    (("evaluate", "--probe", "image", "--control", "question_prior"), "asks policies again"),
    (("evaluate", "--recipe", "sft", "--probe", "judge", "--set", "models.judges=[]"), "the setting names none"),
    (("evaluate", "--probe", "faithfulness", "--set", "evaluate.inference=[direct]"), "has no `region`"),
    (("evaluate", "--predictions", "absent.jsonl"), "no such file"),
    (("evaluate", "--predictions", "full"), "no such file"),
    (("evaluate", "--predictions", "answers.jsonl", "--push"), "stay on this machine"),
    (("compare", "base"), "Missing argument"),
    (("compare", "base", "round-1", "--protocol", "vqa"), "is not a protocol"),
    (
        ("compare", "base", "round-1", "--protocol", "clincot-judge-v1"),
        "judges fill it, and compare",
    ),
    (("compare", "base", "round-1", "--show", "-1"), "--show"),
    ((*BUILD, "--repair-pairs"), "Run `clincot pair`"),
    (("pair", "--round", "3"), "the recipe has 2 rounds"),
    (("pair", "--set", "method.min_gap=2"), "method.min_gap"),
    (("pair", "--new-version"), "No such option"),
]
IMPORT, EXPORT = ("import-rows", "full/rows.jsonl"), ("export-rows", "1", "out")
ROWS = [
    (("import-rows",), "Missing argument"),
    (("import-rows", "absent.json", "--format", "trl"), "there is no such file, and no dataset"),
    (("import-rows", "full", "--format", "trl"), "is a folder. Name the file"),
    (("import-rows", "full/rows.csv", "--format", "trl"), "does not end in .jsonl, .json, .parquet"),
    (("import-rows", "me/mimic-pairs", "--format", "trl"), "looks like MIMIC data"),
    (("import-rows", "me/pairs@a b", "--format", "trl"), "no dataset of a Hub has such a name"),
    (("import-rows", "https://a/b.json", "--format", "trl"), "no dataset of a Hub has such a name"),
    (IMPORT, "--format: is not given. Give one of trl, swift"),
    ((*IMPORT, "--format", "llama-factory"), "Did you mean 'llamafactory'"),
    ((*IMPORT, "--format", "./absent.py:Mine"), "there is no file absent.py"),
    ((*IMPORT, "--format", "trl", "--images", "absent"), "--images absent: there is no such folder"),
    ((*IMPORT, "--format", "trl", "--gold", "absent"), "--gold absent: there is no such file"),
    ((*IMPORT, "--format", "trl", "--margin", "-1"), "--margin -1: is no margin"),
    ((*IMPORT, "--format", "trl", "--margin", "nan"), "--margin nan: is no margin"),
    ((*IMPORT, "--format", "trl", "--keep", "leaks"), "Did you mean 'leak'"),
    ((*IMPORT, "--format", "trl", "--privacy", "private"), "--privacy private: is not known"),
    ((*IMPORT, "--format", "trl", "--licence", "a\nb"), "is no name of a licence"),
    ((*IMPORT, "--format", "trl", "--max-broken", "2"), "--max-broken"),
    ((*IMPORT, "--format", "trl", "--round", "2"), "the recipe has 1 round"),
    (("train", "--rows", "absent.json", "--format", "trl"), "there is no such file, and no dataset"),
    (("train", "--rows", "full/rows.jsonl"), "--format: is not given"),
    (("train", "--rows", "full/rows.jsonl", "--format", "trl", "--objective", "sft"), "--rows"),
    (EXPORT, "--format: is not given"),
    ((*EXPORT, "--format", "trl", "--conditioning", "loser"), "--conditioning loser: is not one of"),
    (("export-rows", "1", "full", "--format", "trl"), "is not empty"),
    (("ask", "absent.dcm", "Is it normal?"), "there is no such file. Give an image"),
    (("ask", "answers.jsonl", "Is it normal?"), "cannot be read as an image"),
    (("ask", "answers.jsonl", "   "), "the question is empty"),
    (("ask", "answers.jsonl", "Is it normal?", "--out", "full"), "does not end in .png"),
    (("ask", "answers.jsonl", "Is it normal?", "--out", "absent/a.png"), "a folder that exists"),
    (("ask", "answers.jsonl", "Is it normal?", "--adapter", "round-two"), "adapter 'round-two': is not known"),
    (("app",), "Gradio is not installed. Run `pip install 'clincot[app]'`"),
    (("app", "--adapter", "round-two"), "adapter 'round-two': is not known"),
    (("app", "--port", "0"), "--port"),
    (("app", "--export-space", "full"), "is not empty"),
    (("view", "round-one"), "is no round, no folder and no dataset"),
    (("view", "me/mimic-cxr-pairs@round-1"), "MIMIC"),
    (("view", "1", "--out", "full"), "is not empty"),
    (("view", "me/pairs@a b"), "is no round, no folder and no dataset"),
    (("report", "no-such-run"), "has no run"),
    (("report", "a" * 300), "has no run"),
]
HUBS = [
    (("hub", "serve", "file"), "a file is in the way"),
    (("hub", "serve", "new", "--host", "1.2.3.4"), "is no address of this machine"),
    (("hub", "serve", "new", "--host", ""), "is empty"),
    (("hub", "serve", "new", "--port", "99999"), "--port"),
    (("hub", "env", "new"), "no such folder"),
    (("hub", "env", "file"), "is a file"),
    (("hub", "env", "full"), "is no embedded Hub"),
    (("hub", "env", "full", "--port", "0"), "--port"),
    (("hub", "ls", "new"), "no such folder"),
    (("hub", "log", "full", "a b"), "is no repo id"),
    (("hub", "import", "file"), "is a file"),
    (("hub", "import", "absent/folder/of/mine"), "check the path"),
    (("hub", "import", "./absent"), "check the path"),
    (("hub", "import", "full"), "is a folder; give --as"),
    (("hub", "import", "full", "--as", "pneumonia"), "--as pneumonia: has no namespace"),
    (("benchmarks", "import", "VQA-RAD", "full"), "Did you mean 'vqa-rad'?"),
    (("hub", "import", "full", "--as", "a b"), "is no repo id"),
    (("hub", "import", "full", "--as", "a/b", "--tag", "a b"), "is no branch, tag or commit"),
    (("hub", "import", "full", "--as", "a/b", "--hub", "new"), "is neither local:PATH nor a URL"),
    (("hub", "import", "a/b", "--from", "local:new"), "no such folder"),
    (("hub", "export", "a/b", "out"), "names no revision"),
    (("hub", "export", "a b@main", "out"), "is no repo id"),
    (("hub", "export", "a/b@main", "out", "--hub", "local:new"), "no such folder"),
    (("hub", "copy"), "No such command"),
    (("benchmarks", "check", "absent/"), "there is no such file or folder"),
    (("benchmarks", "check", "slak"), "Did you mean 'slake'?"),
    (("benchmarks", "fetch", "absent/"), "there is no such file or folder"),
    (("benchmarks", "fetch", "slake"), "is no folder of own data"),
    (("benchmarks", "import", "vqarad", "full"), "Did you mean 'vqa-rad'"),
    (("benchmarks", "import", "slake", "full"), "has no importer"),
    (("benchmarks", "import", "vqa-rad", "absent"), "no such folder"),
    (("benchmarks", "import", "vqa-rad", "full"), "not found"),
    (("benchmarks", "import", "vqa-rad", "full", "--hub", "new"), "is neither local:PATH nor a URL"),
    (("phantom", "draw", "file"), "a file is in the way"),
    (("phantom", "draw", "new", "--train", "0"), "--train"),
    (("phantom", "draw", "new", "--seed", "-1"), "--seed"),
    (("phantom", "draw", "new", "--push", "--hub", "elsewhere"), "is neither local:PATH nor a URL"),
    (("phantom", "pretrain", "file"), "a file is in the way"),
    (("phantom", "pretrain", "new", "--only", "critic"), "version 1 has no critic"),
    (("judges", "check", ""), "REPO is empty"),
    (("judges", "check", "a/b", "--kind", "causal-lm"), "Did you mean 'causal_lm'"),
    (("judges", "check", "a/b", "--scoring", "digit"), "Known: expected, generated, yesno"),
    (("judges", "check", "a/b", "--context", "blnd"), "Did you mean 'blind'"),
    (("judges", "check", "a/b", "--questions", "1"), "--questions"),
    (("judges", "check", "a/b", "--split", "tset"), "Did you mean 'test'"),
    (("judges", "check", "a/b", "--endpoint", "server"), "is not a URL"),
    (("judges", "check", "a/b", "--hub", "elsewhere"), "is neither local:PATH nor a URL"),
    (("convert", "llava-med", "a/b", "out", "--hub", "elsewhere"), "is neither local:PATH nor a URL"),
    (("convert", "weights", "a/b", "out", "--hub", "elsewhere"), "is neither local:PATH nor a URL"),
    (("convert", "check", "a/b", "--images", "absent"), "absent"),
    (("convert", "medklip", "absent.pth", "out", "--descriptions", "file", "--text-encoder", "a/b"), "absent.pth"),
]
WARD = ("--benchmark", "ward.py:Ward")
AWAY = "models.policy={kind: openai, endpoint: ['http://127.0.0.1:8000', 'http://127.0.0.1.gpu.lab:8000']}"
PLACES = [
    ((*BUILD, *WARD, "--set", AWAY), "models.policy.endpoint: 127.0.0.1.gpu.lab is neither loopback"),
    (("run", *WARD, "--public"), "is restricted, so nothing that is made of it becomes public"),
]

TABLE = [
    *(*NUMBERS, *CHOICES, *TRAINING, *MODELS, *PLACES, *TOGETHER),
    *(*RECIPES, *NAMES, *OPTIONS, *ROWS, *HUBS),
]
HEAVY = ("torch", "transformers", "datasets", "peft", "trl", "huggingface_hub")


def written(folder: Path) -> list[str]:
    """Return every path below `folder`."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def ended(words: tuple[str, ...]) -> dict[str, object]:
    """Run `clincot WORDS` in this interpreter; return its exit code and what it wrote."""
    from clincot.__main__ import main

    out, err, code = io.StringIO(), io.StringIO(), None
    sys.argv = ["clincot", *words]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    return {"code": code, "out": out.getvalue(), "err": err.getvalue(), "written": written(Path())}


def run_all() -> None:
    """Make the files in this folder, run the table, and print how each case ended and what is imported now."""
    for name, text in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    before = written(Path())
    cases = [ended(words) for words, _ in TABLE]
    print(json.dumps({"before": before, "cases": cases, "heavy": [m for m in HEAVY if m in sys.modules]}))


if __name__ == "__main__":
    run_all()
