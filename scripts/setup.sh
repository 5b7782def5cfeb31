#!/usr/bin/env bash
# Make .venv hold the locked packages and listener_head built in it, then run a command there.
#   scripts/setup.sh [GROUP...] [-- COMMAND...]     groups: train evaluation test dev colcon (run and build always)
# Quick when nothing changed. docs/building.md tells what is decided here and why.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$PWD/.venv
state=$venv/.setup
log=$state/log

groups=(run build)
while (($#)) && [[ $1 != -- ]]; do groups+=("$1"); shift; done
(($#)) && shift

fail() { printf '%s\n' "$@" >&2; exit 2; }
say() { printf '· %s\n' "$*" >&2; }

# logged WHAT COMMAND...: run it with its output in the log, whose end is shown where it fails
logged() {
  local what=$1; shift
  "$@" >> "$log" 2>&1 || { tail -n 15 "$log" >&2; fail "$what failed; the whole output is in $log"; }
}

# --- which Python, which ROS -----------------------------------------------------------------------------------

unset VIRTUAL_ENV PYTHONHOME
unset PYTHONDONTWRITEBYTECODE # packages are not compiled when installed: what is compiled on import is kept
PATH=${PATH//$venv\/bin:/} # an active .venv must not be made from itself

choose() { # sets python, ros_prefix and ros_text; a Python that a sourced ROS serves goes first
  local candidate changes choice=
  for candidate in python3 /usr/bin/python3 python3.12 python3.11; do
    "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2> /dev/null || continue
    changes=$("$candidate" listener_head/environment.py)
    if [[ -z $choice || $changes != *"ros_prefix=''"* ]]; then python=$candidate choice=$changes; fi
    [[ ${ROS_DISTRO:-} && $choice == *"ros_prefix=''"* ]] || break
  done
  [[ $choice ]] || fail "listener_head needs Python 3.11 or 3.12, but python3 is $(python3 -V 2>&1 || true)." \
    "Install one, for example: sudo apt-get install python3.12 python3.12-venv python3.12-dev"
  eval "$choice"
}

# --- system packages -------------------------------------------------------------------------------------------

install_system_packages() {
  local version missing=()
  version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
  command -v g++ > /dev/null || missing+=(g++)
  "$python" -c 'import ensurepip' 2> /dev/null || missing+=("$version-venv")
  "$python" -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("include"), "Python.h").stat()' \
    2> /dev/null || missing+=("$version-dev")
  "$python" -c 'import ctypes; ctypes.CDLL("libEGL.so.1")' 2> /dev/null || missing+=(libegl1)
  "$python" -c 'import ctypes; ctypes.CDLL("libGL.so.1")' 2> /dev/null || missing+=(libgl1)
  ((${#missing[@]})) || return 0
  if ((EUID)) || ! command -v apt-get > /dev/null; then
    fail "Some system packages are missing. Type: sudo apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  say "system packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  logged "apt-get update" apt-get update
  logged "apt-get install ${missing[*]}" apt-get install -y --no-install-recommends "${missing[@]}"
}

# --- the virtual environment and its packages --------------------------------------------------------------------

make_venv() {
  say "$("$python" -V), $ros_text"
  rm -rf "$venv"
  mkdir -p "$state" # first, so that a .venv that was not made here can be told
  install_system_packages
  logged "python -m venv" "$python" -m venv ${ros_prefix:+--system-site-packages} "$venv"
  printf '%s' "$1" > "$state/identity"
}

pip_install() { # --no-compile: Python compiles what it imports, a third of the time in all
  logged "pip install" "$venv/bin/python" -m pip install \
    --disable-pip-version-check --no-input --no-deps --no-compile --progress-bar off "$@"
}

install_group() { # the lock is complete, so pip has nothing to resolve
  local lock=requirements/$1.txt chosen=$state/$1.txt
  say "packages of requirements/$1.txt ($(grep -c == "$lock"))"
  cp "$lock" "$chosen"
  [[ -z $ros_prefix ]] || sed -i '/^ros-/d' "$chosen"
  case $1 in
    run) ! nvidia-smi > /dev/null 2>&1 || sed -i 's/^onnxruntime==/onnxruntime-gpu==/' "$chosen" ;;
    train) install_torch "$(grep ^torch== "$chosen")" && sed -i '/^torch==/d' "$chosen" ;;
  esac
  pip_install -r "$chosen"
}

install_torch() { # PyPI has only builds with CUDA; the CPU build may be known to pip's own configuration
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps --no-compile --progress-bar off "$1" \
    >> "$log" 2>&1 || pip_install --retries 2 --timeout 20 --index-url https://download.pytorch.org/whl/cpu "$1"
}

# --- the messages and the package --------------------------------------------------------------------------------

build() { # symbolic links, so that an edited module, parameter or launch file counts at once
  say "messages and nodes"
  find "$venv/share/listener_head" "$venv"/lib/{,python3*/site-packages/}listener_head -xtype l -delete 2> /dev/null || true
  local cmake=$venv/bin/cmake
  PATH=$venv/bin:$PATH
  logged "cmake" "$cmake" -S . -B "$venv/build" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$venv" -DPython3_EXECUTABLE="$venv/bin/python" \
    -DAMENT_CMAKE_SYMLINK_INSTALL=ON -DBUILD_TESTING=OFF
  logged "cmake --build" "$cmake" --build "$venv/build"
  logged "cmake --install" "$cmake" --build "$venv/build" --target install
}

# once NAME KEY COMMAND...: run the command unless it has been run for this key
once() {
  local stamp=$state/$1.key key=$2; shift 2
  [[ -f $stamp && $(< "$stamp") == "$key" ]] && return
  rm -f "$stamp"
  "$@"
  printf '%s' "$key" > "$stamp"
}

choose
mkdir -p build
exec 9> build/.setup.lock && flock 9 # one setup at a time
identity="$PWD|${ros_prefix:-ROS wheels}"
if [[ ! -x $venv/bin/python || ! -f $state/identity || $(< "$state/identity") != "$identity" ]]; then
  [[ ! -e $venv || -d $state ]] || fail "$venv was not made by make: move it out of the way and try again."
  make_venv "$identity"
fi
for group in "${groups[@]}"; do
  once "$group" "$(sha256sum < "requirements/$group.txt")" install_group "$group"
done
sources=$(sha256sum CMakeLists.txt package.xml msg/*.msg; find listener_head config launch -type f ! -name '*.pyc' | sort)
once built "$(sha256sum <<< "$sources")" build
exec 9>&-

if (($#)); then
  export VIRTUAL_ENV=$venv PATH=$venv/bin:$PATH
  eval "$("$python" listener_head/environment.py "$venv")"
  exec "$@"
fi
