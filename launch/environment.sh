# Sourced by the other scripts: makes .venv once and keeps it in step with the requirements.
# PYTHON names the interpreter (3.11 or 3.12); by default the first of these on the PATH.
# shellcheck shell=bash

# XLA's CPU backend takes fresh memory in every step; with huge pages from glibc (Linux) that
# costs a fraction: training steps gain 10 to 40 %.
export GLIBC_TUNABLES=${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1}

find_python() {
  local name
  local -a names=(python3 python3.12 python3.11 python)
  [ -z "${PYTHON:-}" ] || names=("$PYTHON")
  for name in "${names[@]}"; do
    if "$name" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  echo "salx: needs Python 3.11 or 3.12 on the PATH (or PYTHON=/path/to/python)" >&2
  return 1
}

# make_environment REQUIREMENTS...: .venv with these files installed, exact by the constraints.
# It fails where a step fails, also in a shell that does not end by itself at an error.
make_environment() {
  local python version stamp wanted file
  local -a install=()
  .venv/bin/python -m pip --version >/dev/null 2>&1 || {
    python=$(find_python) || return
    echo "making .venv with $("$python" --version)" >&2
    "$python" -m venv --clear .venv || return
  }
  version=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  for file in "$@"; do install+=(-r "$file"); done
  wanted=$(cat "$@" "launch/constraints-$version.txt" | cksum)
  stamp=.venv/installed-$(echo "$@" | tr ' /' '__')
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "installing $* (a few minutes the first time)" >&2
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
      --constraint "launch/constraints-$version.txt" "${install[@]}" || return
    echo "$wanted" >"$stamp"
  fi
}
