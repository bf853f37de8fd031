#!/usr/bin/env bash
# Shows how evenly Akrida sends 2000 requests a second, by the target's own log.
#
# Needs a build with the open model (`load.arrival_rate`).
#
#   benches/pacing.sh [--akrida PATH] [--nice N]
#
# Exits with 1 if a goal is missed (docs/performance.md).
set -euo pipefail
exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/pacing.py" "$@"
