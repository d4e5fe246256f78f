#!/bin/sh
# Brings a Chromium for the tests of the page where there is none; `make test-tools` calls it.
# Root on Debian or Ubuntu, as in a container, gets the system's with its libraries; anybody else one into .venv.
set -eu
cd "$(dirname "$0")/.."
exec >&2

for name in chromium chromium-browser google-chrome; do
    ! command -v $name >/dev/null || exit 0
done
if [ "$(id -u 2>/dev/null)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0
fi
PLAYWRIGHT_BROWSERS_PATH=$(pwd)/.venv/tooling/browsers .venv/bin/playwright install --only-shell chromium || {
    echo "error: Chromium could not be fetched; install it with the system's package manager and run make again"
    exit 1
}
