#!/usr/bin/env bash
# A whole surrogate study on real digits: ./launch/quickstart.sh [WORKDIR] [--config.FIELD=...]
# Makes .venv, installs, runs configs/quickstart.py, prints the table and the report's path.
# The same command again goes on where it was stopped.
set -euo pipefail

case "${1:-}" in
  -h | --help)
    sed -n '2,4s/^# //p' "$0"
    exit 0
    ;;
  "" | -*) workdir=quickstart-study ;;
  *)
    workdir=$1
    shift
    ;;
esac
case "$workdir" in /* | gs://*) ;; *) workdir=$PWD/$workdir ;; esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source launch/environment.sh
requirements=(requirements.txt)
[[ "$workdir" != gs://* ]] || requirements+=(launch/gs.txt)
make_environment "${requirements[@]}"
exec .venv/bin/python -m salx.main --config=configs/quickstart.py --workdir="$workdir" "$@"
