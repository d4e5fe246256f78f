#!/bin/sh
# Makes build/home-assistant: a Home Assistant for the tests, pinned in requirements/home-assistant.txt with its hashes.
# The Makefile calls it as `sh scripts/home_assistant.sh`. It needs Python 3.13, which PYTHON may name.
set -eu
cd "$(dirname "$0")/.."
exec >&2

home=build/home-assistant
pins=requirements/home-assistant.txt
[ ! -f $home/installed ] || ! cmp -s $pins $home/installed || exit 0

is_right() {
    "$1" -c 'import sys, ensurepip; sys.exit(sys.version_info[:2] != (3, 13))' >/dev/null 2>&1 </dev/null
}

for python in ${PYTHON:-} python3.13 "$HOME"/.pyenv/versions/3.13*/bin/python /opt/python/3.13*/bin/python; do
    ! is_right "$python" || break
    python=
done
[ -n "$python" ] || {
    echo "error: a Home Assistant needs Python 3.13, and there is none; name one with PYTHON=/path/to/python3.13"
    exit 1
}
rm -rf $home
"$python" -m venv $home
if [ -x .venv/bin/uv ]; then
    .venv/bin/uv pip install --quiet --python $home/bin/python --require-hashes -r $pins
else
    $home/bin/python -m pip install --quiet --require-hashes -r $pins
fi
cp $pins $home/installed
