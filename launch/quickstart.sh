#!/usr/bin/env bash
# A whole surrogate study on real digits: ./launch/quickstart.sh [WORKDIR] [--config.FIELD=...]
# Makes .venv, installs, runs configs/quickstart.py, prints the table and the report's path.
# The same command again goes on where it was stopped. --dry-run prints what would run.
set -euo pipefail
unset CDPATH
start=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source launch/steps.sh

read_words launch/quickstart.sh "$@"
set -- ${flags[@]+"${flags[@]}"}
for flag in "$@"; do
  case "$flag" in
    --config=*) refuse "$flag: launch/quickstart.sh runs configs/quickstart.py; python -m salx.main takes others" ;;
    --workdir=*) refuse "$flag: launch/quickstart.sh takes its work folder without a flag: [WORKDIR]" ;;
  esac
done
[ ${#words[@]} -le 1 ] || refuse "launch/quickstart.sh takes one work folder, not '${words[0]}' and '${words[1]}'"
workdir=${words[0]-quickstart-study}
case "$workdir" in
  '') refuse "launch/quickstart.sh: the name of the work folder is empty" ;;
  /* | gs://*) ;;
  \~ | \~/*) workdir=$HOME${workdir#\~} ;;
  *) workdir=$start/$workdir ;;
esac

source launch/environment.sh
requirements=(requirements.txt)
[[ "$workdir" != gs://* ]] || requirements+=(launch/gs.txt)
step make_environment "${requirements[@]}"
step exec .venv/bin/python -m salx.main --config=configs/quickstart.py --workdir="$workdir" "$@"
