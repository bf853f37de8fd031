# Lists the recipes.
default:
    @just --list

# Checks formatting, lints, documentation and dependencies; writes nothing but build output.
check:
    cargo fmt --all --check
    cargo clippy --locked --profile ci --workspace --all-targets -- -D warnings
    cd ui && npm run check
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --profile ci --workspace --no-deps
    PATH="$PWD/target/tools/bin:$PATH" cargo deny --locked check bans licenses sources

# Formats, and applies what clippy can mend by itself.
fix:
    cargo clippy --profile ci --workspace --all-targets --fix --allow-dirty --allow-staged
    cargo fmt --all

# Runs everything that must pass, after installing what it needs.
test:
    bash scripts/test.sh

# Shows a run against the built-in target.
demo:
    cargo run --locked --release -- demo
