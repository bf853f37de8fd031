#!/usr/bin/env bash
# Installs what scripts/test.sh needs, each tool only if it is missing: Debian packages, and cargo-deny and Locust under
# target/tools. Says what to do where it cannot install.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly DENY_VERSION=0.20.2
readonly LOCUST_VERSION=2.47.0
readonly TOOLS="$PWD/target/tools"

# Commands, and the Debian packages that bring them.
readonly PACKAGES=(
  cc:build-essential
  chromedriver:chromium-driver
  chromium:chromium
  curl:curl
  faketime:faketime
  haproxy:haproxy
  ip:iproute2
  keepalived:keepalived
  nginx:nginx-light
  openssl:openssl
  promtool:prometheus
  python3:python3
  shellcheck:shellcheck
  tinyproxy:tinyproxy-bin
  valgrind:valgrind
)

install_packages() {
  local missing=() entry as_root=()
  for entry in "${PACKAGES[@]}"; do
    # Debian keeps servers where the search path of ordinary users does not lead.
    PATH="$PATH:/usr/sbin" command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
  done
  # Debian has this part of Python in a package of its own.
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  if [[ ${#missing[@]} -eq 0 ]]; then return; fi
  if ! command -v apt-get >/dev/null; then
    echo "missing: ${missing[*]} (the names of Debian's packages); install them and start again"
    return 1
  fi
  if [[ "$(id -u)" -ne 0 ]]; then as_root=(sudo); fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
}

install_cargo_deny() {
  if [[ "$("$TOOLS/bin/cargo-deny" --version 2>/dev/null)" == "cargo-deny $DENY_VERSION" ]]; then return; fi
  # Without optimisation it takes a minute of processor time to build, and still answers in a second.
  CARGO_PROFILE_DEV_DEBUG=0 cargo install --quiet --locked --debug --root "$TOOLS" "cargo-deny@$DENY_VERSION"
}

# The real Locust, with which the HTTP interface of masters is compared.
install_locust() {
  local python="$TOOLS/locust"
  if [[ "$("$python/bin/locust" --version 2>/dev/null)" == "locust $LOCUST_VERSION "* ]]; then return; fi
  python3 -m venv --clear "$python"
  "$python/bin/pip" install --quiet --disable-pip-version-check "locust==$LOCUST_VERSION"
}

check_toolchain() {
  local command
  for command in 'rustc' 'cargo' 'cargo fmt' 'cargo clippy'; do
    # The words of a command are meant to be split.
    # shellcheck disable=SC2086
    $command --version || { echo "missing: $command; rustup installs it"; return 1; }
  done
}

# The web pages are built by Vite, which needs a newer Node than some systems have packages of.
check_node() {
  local version
  local is_known='const [a, b] = process.versions.node.split(".").map(Number);
    process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)'
  version="$(node --version 2>/dev/null || echo none)"
  if command -v npm >/dev/null && node -e "$is_known"; then return; fi
  echo "missing: Node 20.19, or 22.12 or later, with npm (there is: $version); the web pages are built with it"
  return 1
}

check_toolchain
check_node
install_packages
install_cargo_deny
install_locust
