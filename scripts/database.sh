#!/bin/sh
# Brings PostgreSQL for the tests of states on a server where there is none; `make test-tools` calls it.
# Root on Debian or Ubuntu, as in a container, gets the system's programs; anybody else is told what to install. No server
# of the system is used or left running: tests start their own, as somebody without rights.
set -eu
exec >&2

for place in /usr/lib/postgresql/*/bin/initdb /opt/homebrew/opt/*/bin/initdb /usr/local/pgsql/bin/initdb; do
    [ ! -x "$place" ] || exit 0
done
if [ "$(id -u 2>/dev/null)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null && exit 0
fi
echo "error: PostgreSQL could not be installed; install it with the system's package manager for the tests of states on it"
exit 1
