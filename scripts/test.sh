#!/usr/bin/env bash
# Runs everything that must pass: formatting, lints (of the web pages, too), documentation, rules for dependencies, tests and scripts.
#
# Installs what the tests need if it is missing. Runs every step even if one fails, names the failures at the end, and
# ends with the line `N passed, N failed`, in which a test counts as one and so does any other step.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

export CARGO_TERM_COLOR=never
export RUST_BACKTRACE="${RUST_BACKTRACE:-1}"
export PATH="$PWD/target/tools/bin:$PATH"

# One profile for everything that is built, so that nothing is compiled twice. Cargo.lock is never changed.
readonly PROFILE=(--locked --workspace --profile ci)
readonly STEP_TIME_MAX=30m
readonly INSTRUCTIONS_PER_REQUEST_MAX=26000

passed=0
failed=0
failures=()
log="$(mktemp)"
trap 'rm -f "$log"' EXIT

# run NAME COMMAND...: runs a command with a time limit, shows its output and keeps it in $log.
run() {
  local name="$1" began="$SECONDS" status=0
  shift
  printf '\n== %s\n' "$name"
  timeout --kill-after=30s "$STEP_TIME_MAX" "$@" 2>&1 | tee "$log" || status=$?
  printf -- '-- %s: %s s\n' "$name" "$((SECONDS - began))"
  return "$status"
}

# count NAME PASSED FAILED: adds to the totals, and to the failures if there are any.
count() {
  passed=$((passed + $2))
  failed=$((failed + $3))
  if [[ "$3" -gt 0 ]]; then failures+=("$1"); fi
}

# check NAME COMMAND...: a step that counts as one.
check() {
  if run "$@"; then count "$1" 1 0; else count "$1" 0 1; fi
}

# tests NAME COMMAND...: a step whose tests count one each. One that fails without a failed test counts as one failure.
tests() {
  local name="$1" status=0 in_log
  run "$@" || status=$?
  in_log="$(tests_in_log)"
  if [[ "$status" -ne 0 && "${in_log#* }" -eq 0 ]]; then
    count "$name" "${in_log% *}" 1
  else
    count "$name" "${in_log% *}" "${in_log#* }"
  fi
  while read -r line; do failures+=("$line"); done < <(failed_tests_in_log)
}

# tests_in_log: prints how many tests passed and failed according to the summaries of nextest and of cargo test.
tests_in_log() {
  awk '
    / tests? run: / {
      for (i = 2; i <= NF; i++) {
        if ($i ~ /^tests?$/) { sub(".*/", "", $(i - 1)); total = $(i - 1) }
        if ($i ~ /^passed/) { good = $(i - 1) }
      }
      passed += good; failed += total - good
    }
    /^test result: / { passed += $4; failed += $6 }
    END { print passed + 0, failed + 0 }
  ' "$log"
}

failed_tests_in_log() {
  awk '
    /^ +(FAIL|TIMEOUT|ABORT|LEAK-FAIL|SIG[A-Z]+) +\[/ { sub("^ +", ""); print }
    /^test .* \.\.\. FAILED$/ { print }
  ' "$log" | sort -u
}

test_command=(cargo test "${PROFILE[@]}" --all-targets --no-fail-fast)
if cargo nextest --version >/dev/null 2>&1; then
  test_command=(cargo nextest run --locked --workspace --cargo-profile ci --no-fail-fast)
fi

check tools bash scripts/install-test-tools.sh
check format cargo fmt --all --check
check pages bash -c 'cd ui && npm ci --no-audit --no-fund && npm run check'
check clippy cargo clippy "${PROFILE[@]}" --all-targets -- -D warnings
check documentation env RUSTDOCFLAGS='-D warnings' cargo doc "${PROFILE[@]}" --no-deps
check dependencies cargo deny --locked check --hide-inclusion-graph bans licenses sources
if [[ -d "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs" ]]; then
  check advisories cargo deny --locked --offline check advisories
else
  printf '\nadvisories are not checked: there is no database (cargo deny fetch db)\n'
fi
check shellcheck shellcheck scripts/*.sh benches/*.sh .ci/run
tests tests "${test_command[@]}"
tests doctests cargo test "${PROFILE[@]}" --doc --no-fail-fast
# A count, not a time: the same on a busy machine. The limit is that of the release build, which takes fewer still.
check instructions bash benches/instructions.sh "$INSTRUCTIONS_PER_REQUEST_MAX" --akrida target/ci/akrida

if [[ ${#failures[@]} -gt 0 ]]; then
  printf '\nfailed:\n'
  printf '  %s\n' "${failures[@]}"
fi
printf '\n%s passed, %s failed\n' "$passed" "$failed"
[[ "$failed" -eq 0 ]]
