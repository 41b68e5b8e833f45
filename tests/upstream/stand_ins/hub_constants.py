"""HF_ENDPOINT and the accounts of the served Hub -> the names that huggingface_hub's tests import for both."""

import os

ENDPOINT_STAGING = ENDPOINT_PRODUCTION = os.environ["HF_ENDPOINT"]
USER, OTHER_USER = "__DUMMY_TRANSFORMERS_USER__", "DVUser"
FULL_NAME = USER
ENTERPRISE_ORG = "EnterpriseOrg"
TOKEN, OTHER_TOKEN, ENTERPRISE_TOKEN = "hf_upstream_user", "hf_upstream_other", "hf_upstream_enterprise"

# Repos of the public Hub: tests marked `production` use them and are left out.
DUMMY_MODEL_ID = "julien-c/dummy-unknown"
DUMMY_RENAMED_OLD_MODEL_ID = "public/renamed"
DUMMY_DATASET_ID = SAMPLE_DATASET_IDENTIFIER = "public/dataset"
DUMMY_MODEL_ID_REVISION_ONE_SPECIFIC_COMMIT = DUMMY_DATASET_ID_REVISION_ONE_SPECIFIC_COMMIT = "0" * 40
DUMMY_EXTRA_LARGE_FILE_MODEL_ID, DUMMY_EXTRA_LARGE_FILE_NAME = "public/large", "large.bin"
DUMMY_XET_MODEL_ID, DUMMY_XET_FILE = "public/xet", "xet.bin"
