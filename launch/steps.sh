# Sourced by the launchers, in the repository's folder.
# shellcheck shell=bash

# The study's flags that a launcher passes on: those of python -m salx.main, and fields of the
# config. Whatever else starts with a dash has to be a launcher's own.
study_flags='^(config|workdir|worker|plan|step_seconds|coordinator|processes|process|verbosity|(no)?config\..+)$'
lone_flags='^(plan|noconfig\..+)$' # these take no word after them

# read_words SCRIPT WORD...: sorts a launcher's words, in whatever order they come. --dry-run sets
# dry_run; -h and --help show the script's help, and nothing else is done; the study's flags become
# the array flags, as --NAME=VALUE, and what has no dash the array words. The rest is refused.
# shellcheck disable=SC2034 # the scripts use what is set here
read_words() {
  local script=$1 help='' name
  dry_run='' flags=() words=()
  while shift && [ $# -gt 0 ]; do
    name=${1#--}
    name=${name%%=*}
    case "$1" in
      --dry-run) dry_run=yes ;;
      -h | --help) help=yes ;;
      --*)
        [[ "$name" =~ $study_flags ]] \
          || refuse "$script does not know '$1'; it has --dry-run and --help, and passes on the study's flags"
        if [[ "$1" = *=* || "$name" =~ $lone_flags ]]; then
          flags+=("$1")
        elif [[ "${2:-}" =~ ^([^-]|-[0-9.]) ]]; then
          flags+=("$1=$2")
          shift
        elif [[ "$name" = config.* ]]; then
          flags+=("$1") # a field that is true or false
        else
          refuse "$1 needs a value: $1=..."
        fi
        ;;
      -*) refuse "$script does not know '$1'; flags of the study start with two dashes" ;;
      *) words+=("$1") ;;
    esac
  done
  [ -z "$help" ] || usage "$script"
}

# refuse_words SCRIPT WORD...: where there are words and the script has no use for any.
refuse_words() {
  [ $# = 1 ] || refuse "$1 has no use for the word '$2': flags start with two dashes"
}

# usage SCRIPT [CODE]: shows the lines at its head and ends.
usage() {
  sed -n '2,/^set -/s/^# //p' "$1"
  exit "${2:-0}"
}

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
  echo "salx: ${1//[[:cntrl:]]/?}" >&2
  exit 2
}

# expect VARIABLE PATTERN WHAT: refuses a variable that is set to anything but WHAT.
expect() {
  local LC_ALL=C # where the letters are those of ASCII
  [ -z "${!1+set}" ] || [[ "${!1}" =~ ^($2)$ ]] \
    || refuse "$1='${!1}' in the environment must be $3; or unset it"
}
