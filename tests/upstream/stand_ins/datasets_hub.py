"""HF_ENDPOINT and an account of the served Hub -> the names that datasets' tests import for them."""

import os

CI_HUB_ENDPOINT = os.environ["HF_ENDPOINT"]
CI_HUB_USER = "__DUMMY_TRANSFORMERS_USER__"
CI_HUB_USER_TOKEN = "hf_upstream_user"
