#!/usr/bin/env bash
# Everything that must hold: formatting, lints, documentation, tests. Installs what it needs; may be run again at any time.
# STILLPOINT_DATA=FOLDER gives tests the market data that does not ship; STILLPOINT_SKIP_NOTHING=1 makes its absence a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
# Property tests try the same cases in each run; another seed tries others.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-1}"

say() { printf '\n== %s\n' "$*"; }

say 'tools'
if ! command -v cc >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq build-essential
    else
        echo 'no C linker `cc`: install build-essential, or what your system calls it' >&2
        exit 1
    fi
fi
if ! command -v cargo >/dev/null; then
    echo 'no cargo: install Rust from https://rustup.rs; the toolchain in rust-toolchain.toml then comes by itself' >&2
    exit 1
fi
if command -v rustup >/dev/null && ! { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
    rustup component add rustfmt clippy
fi
cargo --version

# A browser without a window, which looks at the pages of reports. Without one, these tests are skipped.
say 'Chromium'
if ! command -v chromium >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null || true
fi
{ chromium --version || chromium-browser --version || google-chrome --version; } 2>/dev/null || echo 'none: install the package chromium'

# A Python with the programs that read our Parquet files, and with a server of S3. Without one, tests of these are skipped.
python_tools='duckdb==2.0.0 moto[server]==5.2.5 pandas==3.1.1 pyarrow==26.0.1'
make_python() {
    local folder="$PWD/target/python"
    if [ "$(cat "$folder/tools" 2>/dev/null)" != "$python_tools" ]; then
        rm -rf "$folder"
        # shellcheck disable=SC2086
        python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check $python_tools || return 1
        echo "$python_tools" >"$folder/tools"
    fi
    export STILLPOINT_PYTHON="$folder/bin/python"
}

say 'Python with duckdb, moto, pandas, pyarrow'
if [ -n "${STILLPOINT_PYTHON:-}" ] || make_python; then
    echo "$STILLPOINT_PYTHON"
else
    echo 'none: no python3 with venv, or no network'
fi

say 'formatting'
cargo fmt --all --check

say 'the engine has no wall clock'
# What the engine alone is built with; other crates may ask for more.
if cargo tree --locked -e features,normal -p stillpoint-engine | grep -E 'chrono feature "(clock|now|default)"'; then
    echo 'the engine alone is built with a wall clock of chrono: turn the feature off in the workspace table' >&2
    exit 1
fi
cargo check --locked --quiet -p stillpoint-engine
echo 'ok'

say 'lints'
cargo clippy --locked --workspace --all-targets --all-features -- -D warnings

say 'the plain program'
# As a first command builds it: without the features that all else here is built with.
cargo clippy --locked --quiet -- -D warnings
cargo test --locked --quiet -p stillpoint-actors -p stillpoint-adapters --no-default-features --test absent

say 'documentation'
RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --all-features --no-deps

say 'tests'
# All that they say goes to a file; shown are results, and what a test that failed has said. A test that lacks data or a program
# prints a line `skipped: ...`: these are counted.
mkdir -p target
log=target/test.log
failed=0
cargo test --locked --workspace --all-features --no-fail-fast -- --show-output 2>&1 |
    tee "$log" | { grep --line-buffered -E '^( +Running|   Doc-tests|test result|test .* FAILED$|skipped: |warning|error)' || true; } || failed=1
# Small runs of the benchmarks, which check what they compute.
cargo test --locked --workspace --all-features --bench kernel --bench trace --bench market 2>&1 | tee -a "$log" || failed=1

skipped="$(grep -ac '^skipped: ' "$log" || true)"
printf '\n%s tests skipped for missing data or programs\n' "$skipped"
if [ "$skipped" != 0 ]; then
    grep -a '^skipped: ' "$log"
    [ -z "${STILLPOINT_SKIP_NOTHING:-}" ] || failed=1
fi
grep -aq '^test result' "$log" || failed=1
if [ "$failed" != 0 ]; then
    say 'what failed'
    # The reports of failed tests, and errors of the compiler.
    awk '/^failures:$/ { shown = 1 } /^error/ { shown = 1; left = 40 } shown { print substr($0, 1, 500) }
        /^test result/ || (left && !--left) { shown = 0 }' "$log" | head -c 60000
    say 'FAILED'
    grep -aE '^test .* FAILED$|^error' "$log" || true
    echo "all that was said is in $log"
    exit 1
fi
echo 'everything holds'
