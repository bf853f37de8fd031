#!/usr/bin/env bash
# Shows whether Akrida's percentiles tell of a target that freezes for 1 s in every 10 s.
#
# Needs a build with the open model (`load.arrival_rate`).
#
#   benches/stall.sh [--akrida PATH] [--nice N]
#
# Exits with 1 if a goal is missed (docs/performance.md).
set -euo pipefail
exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/stall.py" "$@"
