#!/usr/bin/env bash
# The tests: ./launch/test.sh [--all] [pytest's own arguments]
# The fast ones by default, in under 5 minutes on 2 cores; --all for everything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

marks=(-m "not slow")
case "${1:-}" in
  -h | --help)
    sed -n '2,3s/^# //p' "$0"
    exit 0
    ;;
  --all)
    marks=()
    shift
    ;;
esac

source launch/environment.sh
make_environment requirements.txt tests/requirements.txt
exec .venv/bin/python -m pytest "${marks[@]}" "$@"
