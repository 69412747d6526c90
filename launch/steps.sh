# Sourced by the launchers of accelerators and clusters.
# shellcheck shell=bash

# step COMMAND...: runs it; with dry_run set, prints it instead, quoted for the shell.
step() {
  if [ -z "${dry_run:-}" ]; then
    "$@"
  else
    local line
    printf -v line '%q ' "$@"
    echo "${line% }"
  fi
}

# refuse MESSAGE: one line on stderr and exit code 2, as salx itself does.
refuse() {
  echo "salx: $1" >&2
  exit 2
}
