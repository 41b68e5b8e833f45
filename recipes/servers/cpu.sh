#!/bin/sh
# One of the phantom's models on this machine's CPU: cpu.sh policy|judge-a|judge-b [PORT].
# RUN: with vLLM 0.32.0 on two cores: `make test-servers` starts its servers by this file.
# PYTHON: the interpreter of an environment with vLLM for CPUs; MODELS: the folder of the models (README.md has both).
set -eu
role=${1:?policy, judge-a or judge-b}
case $role in
    policy) usual=8001 ;;
    judge-a) usual=8002 ;;
    judge-b) usual=8003 ;;
    *) echo "cpu.sh: no model $role. Give policy, judge-a or judge-b." >&2; exit 2 ;;
esac
port=${2:-$usual}

export VLLM_ALLOW_RUNTIME_LORA_UPDATING=True   # the adapter of each round is loaded while the server runs
export VLLM_CPU_KVCACHE_SPACE="${VLLM_CPU_KVCACHE_SPACE:-1}"   # GiB of keys and values: 262,144 tokens of the policy
export VLLM_CPU_OMP_THREADS_BIND="${VLLM_CPU_OMP_THREADS_BIND:-nobind}"   # several servers share the cores
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
export HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1
export VLLM_ENGINE_READY_TIMEOUT_S=1500

set -- --model "${MODELS:?the folder of the models}/$role" --served-model-name "clincot/phantom-$role" \
    --host 127.0.0.1 --port "$port" --dtype float32 --max-model-len 1024 --max-num-seqs 8 --enforce-eager \
    --generation-config vllm --enable-prefix-caching --enable-prompt-tokens-details --block-size 32
if [ "$role" = policy ]; then
    # PIL resizes as the policy does in process; vLLM's own resize moves log-probabilities by up to 1e-2 a token.
    set -- "$@" --limit-mm-per-prompt '{"image": 2}' --mm-processor-kwargs '{"backend": "pil"}' \
        --enable-lora --max-loras 2 --max-lora-rank 16
fi
exec "${PYTHON:-python3}" -m vllm.entrypoints.openai.api_server "$@"
