#!/bin/sh
# Brings Mosquitto for the tests with a real broker where there is none; `make test-tools` calls it.
# Root on Debian or Ubuntu, as in a container, gets the system's; anybody else is told what to install.
set -eu
exec >&2

for place in mosquitto /usr/sbin/mosquitto /usr/local/sbin/mosquitto /opt/homebrew/sbin/mosquitto; do
    ! command -v $place >/dev/null || exit 0
done
if [ "$(id -u 2>/dev/null)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mosquitto >/dev/null && exit 0
fi
echo "error: Mosquitto could not be installed; install it with the system's package manager for the tests with a broker"
exit 1
