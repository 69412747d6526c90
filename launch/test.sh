#!/usr/bin/env bash
# The tests: ./launch/test.sh [--all|--cluster] [--dry-run] [pytest's own arguments]
# The fast ones by default, in 10 minutes on 2 cores; --all for everything; --cluster for those
# that start a Slurm on this machine, as root, after: apt-get install slurm-wlm munge
# Several machines share the work: --all --shard=0/2 on one, --all --shard=1/2 on the other.
# --dry-run prints what would run.
set -euo pipefail
unset CDPATH
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source launch/steps.sh

marks="not slow and not cluster" dry_run='' which='' arguments=()
for word in "$@"; do
  case "$word" in
    -h | --help) usage launch/test.sh ;;
    --dry-run) dry_run=yes ;;
    --all | --cluster)
      [ "${which:-$word}" = "$word" ] || refuse "launch/test.sh takes --all or --cluster, not both"
      which=$word
      ;;
    *) arguments+=("$word") ;;
  esac
done
set -- ${arguments[@]+"${arguments[@]}"}
if [ "$which" = --cluster ]; then
  marks=cluster
elif [ "$which" = --all ]; then
  marks="not cluster"
  # The long trainings among them take less time when they are compiled better.
  faster="--xla_backend_optimization_level=1 --xla_cpu_use_fusion_emitters=true"
  export XLA_FLAGS="$faster ${XLA_FLAGS:-}"
fi

source launch/environment.sh
step make_environment requirements.txt tests/requirements.txt
step exec .venv/bin/python -m pytest -n 2 --dist loadfile -m "$marks" "$@"
