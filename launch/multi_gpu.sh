#!/usr/bin/env bash
# A study on all NVIDIA GPUs of this machine: ./launch/multi_gpu.sh [--dry-run] --config=... --workdir=...
# One process serves them all: every batch is split over them. CUDA_VISIBLE_DEVICES=0,2 takes these two.
# SALX_PYTHON names the Python of an environment of your own; by default .venv is made here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source launch/steps.sh

case "${1:-}" in
  "" | -h | --help)
    sed -n '2,4s/^# //p' launch/multi_gpu.sh
    exit 0
    ;;
  --dry-run)
    dry_run=yes
    shift
    ;;
esac

[ -n "${dry_run:-}" ] || nvidia-smi --list-gpus 2>/dev/null | grep -q . \
  || refuse "nvidia-smi finds no GPU on this machine"
if [ -z "${SALX_PYTHON:-}" ]; then
  source launch/environment.sh
  requirements=(requirements.txt launch/cuda.txt)
  [[ "$*" != *gs://* ]] || requirements+=(launch/gs.txt)
  step make_environment "${requirements[@]}"
fi
export JAX_PLATFORMS=cuda # an error, not a slow run, where the driver does not serve this jax
step exec "${SALX_PYTHON:-.venv/bin/python}" -m salx.main "$@"
