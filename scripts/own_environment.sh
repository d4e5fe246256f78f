#!/bin/sh
# Makes build/NAME: what tests run beside ours, pinned in requirements/NAME.txt with its hashes.
# The Makefile calls it as `sh scripts/own_environment.sh NAME VERSION…`, the versions of Python that do, best first; PYTHON may
# name one of them.
set -eu
cd "$(dirname "$0")/.."
exec >&2

name=$1
shift
home=build/$name
pins=requirements/$name.txt
[ ! -f "$home/installed" ] || ! cmp -s "$pins" "$home/installed" || exit 0

# is_right PYTHON VERSION
is_right() {
    "$1" -c 'import sys, ensurepip; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[1])' "$2" >/dev/null 2>&1 </dev/null
}

found=
for version in "$@"; do
    for python in ${PYTHON:-} "python$version" "$HOME/.pyenv/versions/$version"*/bin/python /opt/python/"$version"*/bin/python; do
        [ -n "$found" ] || ! is_right "$python" "$version" || found=$python
    done
done
[ -n "$found" ] || {
    echo "error: $name needs Python $*, and there is none; name one with PYTHON=/path/to/python"
    exit 1
}
rm -rf "$home"
"$found" -m venv "$home"
if [ -x .venv/bin/uv ]; then
    .venv/bin/uv pip install --quiet --python "$home/bin/python" --require-hashes -r "$pins"
else
    "$home/bin/python" -m pip install --quiet --require-hashes -r "$pins"
fi
cp "$pins" "$home/installed"
