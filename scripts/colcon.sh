#!/usr/bin/env bash
# Build and test the package with colcon in a scratch workspace, with copied and with linked files.
# Run by `make colcon`, which has prepared the environment.
set -euo pipefail
cd "$(dirname "$0")/.."
workspace=$PWD/build/colcon
rm -rf "$workspace"

# the underlay is the ROS alone, not what `make` has built into .venv
AMENT_PREFIX_PATH=$(tr : '\n' <<< "${AMENT_PREFIX_PATH:-}" | grep -vxF "$VIRTUAL_ENV" | paste -sd : || true)
[[ $AMENT_PREFIX_PATH ]] || unset AMENT_PREFIX_PATH

# in_install DIRECTORY COMMAND...: run it as a terminal that has sourced the workspace
in_install() (
  set +u
  source "$1/setup.bash"
  set -u
  shift
  "$@"
)

check_install() ( # every node that the package has is an executable that finds its messages
  local node name prefix=$1/listener_head
  for node in listener_head/nodes/[!_]*.py; do
    name=$(basename "$node" .py)
    [[ -x $prefix/lib/listener_head/$name ]] || { echo "no executable for $node in $prefix" >&2; exit 1; }
  done
  cd "$workspace" # or Python would import the source tree
  in_install "$1" "$(sed -n '1s/^#!//p' "$prefix/lib/listener_head/$name")" - "$prefix" << 'PYTHON'
import importlib, pathlib, pkgutil, sys
import listener_head.msg, listener_head.nodes

prefix = pathlib.Path(sys.argv[1])
for module in pkgutil.iter_modules(listener_head.nodes.__path__):
    if not module.name.startswith("_"):
        assert callable(importlib.import_module(f"listener_head.nodes.{module.name}").main), module.name
for package in listener_head.msg, listener_head.nodes:
    assert prefix in pathlib.Path(package.__file__).parents, package.__file__
PYTHON
)

for layout in copied linked; do
  base=$workspace/$layout
  echo "== colcon, files $layout"
  options=(--paths . --build-base "$base/build" --install-base "$base/install")
  colcon --log-base "$base/log" build "${options[@]}" $([[ $layout = copied ]] || echo --symlink-install) \
    --event-handlers console_direct- console_stderr- \
    --cmake-args -G Ninja -DCMAKE_BUILD_TYPE=Release -DPython3_EXECUTABLE="$VIRTUAL_ENV/bin/python" ||
    { cat "$base"/log/latest_build/listener_head/stderr.log >&2; exit 1; }
  check_install "$base/install"
done
in_install "$base/install" colcon --log-base "$base/log" test "${options[@]}" --return-code-on-test-failure ||
  { colcon test-result --test-result-base "$base/build" --verbose; exit 1; }
colcon test-result --test-result-base "$base/build" --all
