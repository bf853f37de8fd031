#!/usr/bin/env bash
# Prints Akrida's user-space instructions for each request, by callgrind: steady enough for CI to hold.
#
#   benches/instructions.sh [LIMIT] [--akrida PATH] [--scenario realistic.yml]
#
# Exits with 1 if the number is above the limit (docs/performance.md).
set -euo pipefail
exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/per_request.py" instructions "$@"
