#!/usr/bin/env bash
# Shows what a cluster costs beside one process, and what it costs to lose its leader.
#
#   benches/cluster.sh [--rounds N] [--kills N] [--akrida PATH] [--nice N]
#
# Exits with 1 if a goal is missed (docs/performance.md).
set -euo pipefail
exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/cluster.py" "$@"
