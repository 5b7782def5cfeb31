#!/usr/bin/env bash
# The tests: first those that may run side by side, then, one after another, those marked `alone`, in which real
# time counts. Where CI is set, one of these that fails is tried once more, and its line says so: the machine may have
# been busy with something else. Arguments go to pytest. Run by `make test`, which has prepared the environment.
set -euo pipefail
cd "$(dirname "$0")/.."

none=5 # pytest's status where no test was chosen
status=$none

run() {
  local ended=0
  python -m pytest "$@" || ended=$?
  case $ended in
    0 | 1) [[ $status = 1 ]] || status=$ended ;;
    "$none") ;;
    *) exit "$ended" ;; # interrupted, or not understood
  esac
}

run --numprocesses logical --maxprocesses 4 --dist loadfile -m "not alone" "$@"
run -m alone ${CI:+--reruns 1 -r aR} "$@"
exit "$status"
