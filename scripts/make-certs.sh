#!/usr/bin/env bash
# Makes a private certificate authority and certificates of nodes, for TLS between masters and workers.
#
# usage: scripts/make-certs.sh DIR NAME[,HOST…]…
#
# Writes DIR/ca.pem and DIR/ca-key.pem, unless they are there, and DIR/NAME.pem and DIR/NAME-key.pem for each NAME. A
# certificate is for its NAME and for the host names and addresses after it. A master needs those by which it is reached;
# with mutual TLS a worker's certificate must be for no host of a master. Keep ca-key.pem away from all nodes.
set -euo pipefail

readonly DAYS=825

if [[ $# -lt 2 ]]; then
  echo "usage: $0 DIR NAME[,HOST...]..." >&2
  exit 2
fi
dir="$1"
shift
umask 077
mkdir -p "$dir"

new_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}

make_authority() {
  if [[ -e "$dir/ca.pem" ]]; then return; fi
  new_key "$dir/ca-key.pem"
  openssl req -x509 -new -key "$dir/ca-key.pem" -sha256 -days "$DAYS" -subj "/CN=Akrida private CA" \
    -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -out "$dir/ca.pem"
}

# The subject alternative names of a comma-separated list.
alternative_names() {
  local host names=()
  local -a hosts
  IFS=',' read -r -a hosts <<<"$1"
  for host in "${hosts[@]}"; do
    if [[ "$host" =~ ^[0-9.]+$ || "$host" == *:* ]]; then names+=("IP:$host"); else names+=("DNS:$host"); fi
  done
  local IFS=','
  echo "${names[*]}"
}

make_node() {
  local name="${1%%,*}" extensions
  extensions="$(mktemp)"
  cat >"$extensions" <<END
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = $(alternative_names "$1")
END
  new_key "$dir/$name-key.pem"
  openssl req -new -key "$dir/$name-key.pem" -subj "/CN=$name" |
    openssl x509 -req -CA "$dir/ca.pem" -CAkey "$dir/ca-key.pem" -CAserial "$dir/ca.srl" -CAcreateserial \
      -sha256 -days "$DAYS" -extfile "$extensions" -out "$dir/$name.pem"
  rm -f "$extensions"
}

make_authority
for node in "$@"; do
  make_node "$node"
done
