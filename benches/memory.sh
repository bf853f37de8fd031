#!/usr/bin/env bash
# Shows Akrida's resident memory for each of 10 000 idle users, and its peak while 15 000 users start at 2000/s.
#
#   benches/memory.sh [--akrida PATH]
#
# Exits with 1 if a goal is missed (docs/performance.md).
set -euo pipefail
exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/memory.py" "$@"
