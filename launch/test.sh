#!/usr/bin/env bash
# The tests: ./launch/test.sh [--all|--cluster] [pytest's own arguments]
# The fast ones by default, in 10 minutes on 2 cores; --all for everything; --cluster for those
# that start a Slurm on this machine, as root, after: apt-get install slurm-wlm munge
# Several machines share the work: --all --shard=0/2 on one, --all --shard=1/2 on the other.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

marks="not slow and not cluster"
case "${1:-}" in
  -h | --help)
    sed -n '2,5s/^# //p' "$0"
    exit 0
    ;;
  --all)
    marks="not cluster"
    # The long trainings among them take less time when they are compiled better.
    faster="--xla_backend_optimization_level=1 --xla_cpu_use_fusion_emitters=true"
    export XLA_FLAGS="$faster ${XLA_FLAGS:-}"
    shift
    ;;
  --cluster)
    marks=cluster
    shift
    ;;
esac

source launch/environment.sh
make_environment requirements.txt tests/requirements.txt
exec .venv/bin/python -m pytest -n 2 --dist loadfile -m "$marks" "$@"
