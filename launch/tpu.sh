#!/usr/bin/env bash
# A study on a Cloud TPU slice, through a queued resource. ./launch/tpu.sh [--dry-run] COMMAND [FLAGS]
#   study --config=... --workdir=...   create, install, run, delete, whatever happens in between
#   create | install | run --config=... --workdir=... | logs | delete      one of these steps
# From the environment: NAME (salx) ZONE (us-central2-b) TYPE (v4-8) RUNTIME (tpu-ubuntu2204-base)
# PROJECT (gcloud's own) SPOT=yes WAIT_MINUTES (60) KEEP=yes (study does not delete)
# A slice of several workers needs a --workdir that they share: gs://BUCKET/FOLDER, or one below
# /mnt/salx, where NFS=HOST:/EXPORT is mounted on every worker.
# --dry-run, anywhere, prints what would run, and calls nothing.
# Exit codes: those of the study; 75 where capacity did not come or was taken away: the same
# command goes on.
set -euo pipefail
unset CDPATH
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source launch/steps.sh

queued() { step gcloud compute tpus queued-resources "$@" "${place[@]}"; }

# remote COMMAND: in every worker's shell, as one string. In the background and a process group of
# its own, so that a signal to this script ends it without waiting for it.
remote() {
  set -m
  step gcloud compute tpus tpu-vm ssh "$NAME" --worker=all --command="$1" "${place[@]}" </dev/null &
  child=$!
  set +m
  local code=0
  wait "$child" || code=$?
  child=
  [ "$code" = 0 ] || blame "$code"
}

# blame CODE: why a step on the workers failed; 75 if it is that they are gone.
blame() {
  local now
  now=$(queued describe "$NAME" --format='value(state.state)') || now=gone
  [ "$now" = ACTIVE ] || give_up "$NAME was taken away (it is $now)"
  echo "salx: a worker of $NAME ended with exit code $1: see the lines above" >&2
  exit "$1"
}

give_up() {
  echo "salx: $1; the same command goes on from here" >&2
  exit 75
}

create() {
  creating=yes
  queued create "$NAME" --node-id="$NAME" --accelerator-type="$TYPE" \
    --runtime-version="$RUNTIME" ${SPOT:+--spot} || {
    echo "salx: $NAME was not created, and nothing is deleted: see gcloud's message above" >&2
    exit 1
  }
  created=yes
  local now end=$((SECONDS + 60 * WAIT_MINUTES))
  while now=$(queued describe "$NAME" --format='value(state.state)') && [ "$now" != ACTIVE ]; do
    if [ -n "$dry_run" ]; then
      echo "$now"
      return
    fi
    case "$now" in
      FAILED | SUSPENDING | SUSPENDED) give_up "no capacity for $NAME (it is $now)" ;;
    esac
    [ "$SECONDS" -lt "$end" ] || give_up "$NAME is still $now after $WAIT_MINUTES minutes"
    sleep "$POLL_SECONDS"
  done
  [ "$now" = ACTIVE ] || give_up "gcloud does not tell the state of $NAME"
}

install() {
  local folder=/tmp/salx code=0
  [ -n "$dry_run" ] || folder=$(mktemp -d)
  step git archive --output="$folder/salx.tar.gz" HEAD
  step gcloud compute tpus tpu-vm scp "$folder/salx.tar.gz" "$NAME:" --worker=all "${place[@]}" || code=$?
  step rm -r "$folder"
  [ "$code" = 0 ] || blame "$code"
  if [ -n "${NFS:-}" ]; then
    remote "sudo apt-get install -yq nfs-common && sudo mkdir -p /mnt/salx && \
{ mountpoint -q /mnt/salx || sudo mount -t nfs $(printf %q "$NFS") /mnt/salx; }"
  fi
  # The runtimes have Ubuntu's Python, which may be too old.
  remote "mkdir -p salx && tar -xzf salx.tar.gz -C salx && cd salx && source launch/environment.sh && \
{ find_python >/dev/null 2>&1 || { python3 -m pip install --quiet --user uv && \
~/.local/bin/uv python install --quiet 3.12 && export PYTHON=\$(~/.local/bin/uv python find 3.12); }; } && \
make_environment requirements.txt launch/tpu.txt launch/gs.txt"
}

# run FLAGS: on all workers, which find each other; each keeps its output in salx.log.
run() {
  local flags
  printf -v flags '%q ' "$@"
  remote "set -o pipefail; cd salx && JAX_PLATFORMS=tpu .venv/bin/python -m salx.main ${flags% } 2>&1 \
| tee -a ~/salx.log"
}

delete() {
  queued delete "$NAME" --force --quiet || {
    echo "salx: $NAME may still be there, and billed; try: NAME=$NAME ZONE=$ZONE launch/tpu.sh delete" >&2
    exit 1
  }
}

# clean_up: what runs is ended, what `study` created goes with it, and the exit code stays.
clean_up() {
  local code=$?
  trap - EXIT
  trap '' INT TERM # nothing interrupts the deletion
  [ -z "$child" ] || kill -- "-$child" 2>/dev/null || true
  if [ -n "$created" ] && [ -z "$KEEP" ]; then
    delete
  elif [ -n "$creating" ] && [ -z "$created" ] && [ "$code" -gt 128 ]; then
    echo "salx: $NAME may be created yet; if so: NAME=$NAME ZONE=$ZONE launch/tpu.sh delete" >&2
  fi
  exit "$code"
}

# read_environment: what the environment sets, or refuses it: a name that is empty would be another.
read_environment() {
  local variable name='[A-Za-z0-9][A-Za-z0-9._:-]*' number='0|[1-9][0-9]{0,5}'
  for variable in NAME ZONE TYPE RUNTIME PROJECT; do
    expect "$variable" "$name" "letters, digits and -._: that start with a letter or digit"
  done
  expect WAIT_MINUTES "$number" "a whole number"
  expect POLL_SECONDS "$number" "a whole number"
  expect NFS '[A-Za-z0-9][^[:space:]]*:/[^[:space:]]*' "HOST:/EXPORT"
  expect SPOT 'yes|no' "yes or no"
  expect KEEP 'yes|no' "yes or no"
  NAME=${NAME:-salx} ZONE=${ZONE:-us-central2-b} TYPE=${TYPE:-v4-8} RUNTIME=${RUNTIME:-tpu-ubuntu2204-base}
  WAIT_MINUTES=${WAIT_MINUTES:-60} POLL_SECONDS=${POLL_SECONDS:-20}
  [ "${SPOT:-no}" = yes ] || SPOT=''
  [ "${KEEP:-no}" = yes ] || KEEP=''
  place=(--zone="$ZONE" ${PROJECT:+--project="$PROJECT"})
}

# read_command WORD...: the command, and flags of the study where it takes them and only there.
read_command() {
  local flag names='' commands="launch/tpu.sh knows study, create, install, run, logs and delete"
  read_words launch/tpu.sh "$@"
  [ ${#words[@]} -gt 0 ] || refuse "$commands: name one of them"
  [ ${#words[@]} = 1 ] || refuse "launch/tpu.sh takes one command, not '${words[0]}' and '${words[1]}'"
  command=${words[0]}
  set -- ${flags[@]+"${flags[@]}"}
  case "$command" in
    study | run)
      # The study would refuse it too, on a machine that is paid for.
      for flag in "$@"; do [ -z "${flag#*=}" ] || names+="${flag%%=*} "; done
      [[ "$names" = *"--config "* && "$names" = *"--workdir "* ]] \
        || refuse "launch/tpu.sh $command needs --config=... and --workdir=..."
      ;;
    create | install | logs | delete)
      [ $# = 0 ] || refuse "launch/tpu.sh $command takes no flags of the study: '$1'"
      ;;
    *) refuse "$commands, not '$command'" ;;
  esac
}

[ $# -gt 0 ] || usage launch/tpu.sh
read_command "$@"
read_environment
child='' creating='' created=''
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
case "$command" in
  study)
    create
    install
    run "${flags[@]}"
    ;;
  create)
    KEEP=yes
    create
    ;;
  run) run "${flags[@]}" ;;
  install | delete) "$command" ;;
  logs) remote "tail -n 50 salx.log" ;;
esac
