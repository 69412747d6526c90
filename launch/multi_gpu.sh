#!/usr/bin/env bash
# A study on all NVIDIA GPUs of this machine: ./launch/multi_gpu.sh [--dry-run] --config=... --workdir=...
# One process serves them all: every batch is split over them. CUDA_VISIBLE_DEVICES=0,2 takes these two.
# SALX_PYTHON names the Python of an environment of your own; by default .venv is made here.
# --dry-run, anywhere among the flags, prints what would run.
set -euo pipefail
unset CDPATH
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source launch/steps.sh

[ $# -gt 0 ] || usage launch/multi_gpu.sh
read_words launch/multi_gpu.sh "$@"
refuse_words launch/multi_gpu.sh ${words[@]+"${words[@]}"}
set -- ${flags[@]+"${flags[@]}"}
expect SALX_PYTHON '([^-].*)?' "the path of a Python"

[ -n "$dry_run" ] || nvidia-smi --list-gpus 2>/dev/null | grep -q . \
  || refuse "nvidia-smi finds no GPU on this machine"
if [ -z "${SALX_PYTHON:-}" ]; then
  source launch/environment.sh
  requirements=(requirements.txt launch/cuda.txt)
  [[ "$*" != *gs://* ]] || requirements+=(launch/gs.txt)
  step make_environment "${requirements[@]}"
fi
export JAX_PLATFORMS=cuda # an error, not a slow run, where the driver does not serve this jax
step exec "${SALX_PYTHON:-.venv/bin/python}" -m salx.main "$@"
