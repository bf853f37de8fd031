#!/usr/bin/env bash
# Compares Akrida with other load generators by requests per CPU-second, on loopback; --help shows the options.
# Installs what is missing, builds Akrida, and stops all it started however it ends (docs/performance.md).
set -euo pipefail
exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/compare.py" "$@"
