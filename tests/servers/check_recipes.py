"""The commands of recipes/servers -> options and values that the installed vLLM knows."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from environment import PYTHON
from vllm_servers import MODELS, environment

from tests.recipe.server_commands import composed, option, scripted

PARSE = """
import json, sys
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = make_arg_parser(FlexibleArgumentParser())
print(json.dumps([vars(parser.parse_args(words))["port"] for words in json.load(sys.stdin)]))
"""


def test_vllm_parses_every_command(tmp_path: Path) -> None:
    commands = [words for name in ("cpu", "gpu", "8gpu") for words in composed(name).values()]
    commands += [scripted(role, tmp_path) for role in composed("cpu")]
    asked = json.dumps(commands)
    done = subprocess.run(
        [PYTHON, "-c", PARSE], input=asked, env=environment(MODELS), capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [int(option(words, "--port")) for words in commands]
