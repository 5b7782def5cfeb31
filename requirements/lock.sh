#!/usr/bin/env bash
# Resolve requirements/*.in into requirements/*.txt. Needs uv. Options go to `uv pip compile`, for example:
#   requirements/lock.sh --torch-backend cpu              # keep the pins that still fit
#   requirements/lock.sh --torch-backend cpu --upgrade    # newest of everything
# Every package is pinned in exactly one file: the first group that needs it.
set -euo pipefail
cd "$(dirname "$0")"
groups=(run build train evaluation test dev colcon)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# mediapipe's metadata asks for these; it runs without, on opencv-python-headless, in 0.6 GB less.
printf '%s; python_version<"3"\n' jax jaxlib opencv-contrib-python > "$work/overrides"
compile() {
  uv pip compile --quiet --no-header --no-annotate --override "$work/overrides" \
    --python-platform x86_64-manylinux_2_28 "$@" > /dev/null
}

cat -- *.txt > "$work/all" 2> /dev/null || true
compile "$@" --python-version 3.11 -o "$work/all" "${groups[@]/%/.in}"

# One lock serves 3.12 too: nothing may be pinned there that is not pinned here. (CPU builds of torch are not on PyPI.)
compile --python-version 3.12 -o "$work/all312" -c "$work/all" run.in build.in test.in dev.in colcon.in
if grep -vxFf "$work/all" "$work/all312"; then
  echo "Python 3.12 needs the packages above beside those of 3.11" >&2
  exit 1
fi

: > "$work/before"
inputs=()
for group in "${groups[@]}"; do
  inputs+=("$group.in")
  compile "${@/--upgrade/}" --python-version 3.11 -o "$work/$group" -c "$work/all" "${inputs[@]}"
  { echo "# Made by requirements/lock.sh from $group.in."; grep -vxFf "$work/before" "$work/$group"; } > "$group.txt"
  cp "$work/$group" "$work/before"
done
wc -l "${groups[@]/%/.txt}"
