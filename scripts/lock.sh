#!/bin/sh
# Writes requirements/*.txt anew: what CI runs with, for every supported Python and system, each file with its hashes.
# The Makefile calls it as `sh scripts/lock.sh`.
#
# Each file is whole: dev has what runtime has, bench what dev has, at the same versions. Versions that still fit are
# kept; arguments go to uv, as in `--upgrade` or `--upgrade-package numpy`.
set -eu
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
[ -x $uv ] || uv=uv

# lock NAME [ARGS]: write one file.
lock() {
    name=$1
    shift
    echo "requirements/$name.txt" >&2
    $uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
        --no-annotate --custom-compile-command 'make lock' --output-file "requirements/$name.txt" "$@"
}

mkdir -p requirements
for beside in home-assistant:3.13 judges:3.12; do
    name=${beside%:*}
    echo "requirements/$name.txt" >&2
    $uv pip compile --quiet --python-version "${beside#*:}" --generate-hashes --no-emit-index-url --no-emit-find-links \
        --no-annotate --custom-compile-command 'make lock' --output-file "requirements/$name.txt" --group "$name"
done
lock bench pyproject.toml --extra all --group build --group dev --group bench "$@"
lock dev pyproject.toml --extra all --group build --group dev --constraint requirements/bench.txt
lock runtime pyproject.toml --extra all --group build --constraint requirements/bench.txt
lock installer --group installer "$@"
lock node --group node "$@"
