#!/bin/sh
# Runs a command beside a throw-away PostgreSQL:  tests/postgres.sh cargo test
#
# The server lives in a temporary folder, listens on a free port of 127.0.0.1 and on a socket in that
# folder, and ends with the command, whatever ends the command. TEST_POSTGRES_URL names it. PostgreSQL
# refuses to run as root, so root starts it as another user; where it is missing, root installs Debian's.
# Nothing is weakened: data are synced as in production, because the tests read those settings back.
set -u

say() { echo "tests/postgres.sh: $*" >&2; }
fail() { say "$*"; exit 1; }

[ $# -gt 0 ] || fail "say which command to run, for example: tests/postgres.sh cargo test"

find_binaries() {
    for folder in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -rV); do
        if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then echo "$folder"; return; fi
    done
    found=$(command -v initdb 2>/dev/null) && dirname "$found"
}

bin=$(find_binaries)
if [ -z "$bin" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "PostgreSQL is missing; installing Debian's package"
    # The package would start a server of its own; ours is the only one needed.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends postgresql; } >&2 \
        || fail "apt-get could not install postgresql"
    bin=$(find_binaries)
fi
[ -n "$bin" ] || fail "PostgreSQL 15 or newer is needed: install it (Debian: apt-get install postgresql), or set TEST_POSTGRES_URL and call the command directly"

# The socket's path must stay below 108 bytes, so a long TMPDIR is not used.
base=${TMPDIR:-/tmp}
[ ${#base} -le 60 ] || base=/tmp
work=$(mktemp -d "$base/passerelle-pg.XXXXXX") || fail "cannot make a folder in $base"

if [ "$(id -u)" = 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$work" || fail "cannot give $work to $user"
    if command -v runuser >/dev/null 2>&1; then
        as_user() { (cd "$work" && exec runuser -u "$user" -- "$@"); }
    elif command -v setpriv >/dev/null 2>&1; then
        as_user() { (cd "$work" && exec setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups -- "$@"); }
    else
        fail "root needs runuser or setpriv (package util-linux) to start PostgreSQL as $user"
    fi
else
    as_user() { (cd "$work" && exec "$@"); }
fi

child=
stop() {
    status=$?
    trap - EXIT INT TERM HUP
    if [ -n "$child" ]; then
        # The whole group: cargo and the tests it runs.
        kill -TERM "-$child" 2>/dev/null || kill -TERM "$child" 2>/dev/null
        wait "$child" 2>/dev/null
    fi
    if [ -e "$work/data/postmaster.pid" ]; then
        as_user "$bin/pg_ctl" -D "$work/data" -m immediate -w -t 20 stop >/dev/null 2>&1
    fi
    rm -rf "$work"
    exit "${1:-$status}"
}
trap 'stop' EXIT
trap 'stop 130' INT
trap 'stop 143' TERM
trap 'stop 129' HUP

as_user "$bin/initdb" -D "$work/data" -U passerelle --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$work.log" 2>&1 \
    || as_user "$bin/initdb" -D "$work/data" -U passerelle --auth=trust --encoding=UTF8 --locale=C --no-sync >"$work.log" 2>&1 \
    || { cat "$work.log" >&2; rm -f "$work.log"; fail "initdb failed"; }
rm -f "$work.log"

# A port that is free now may be taken a moment later: then the next one is tried.
port=$((20000 + $$ % 20000))
started=
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if as_user "$bin/pg_ctl" -D "$work/data" -l "$work/server.log" -w -t 60 \
        -o "-p $port -k $work -c listen_addresses=127.0.0.1 -c max_connections=300 -c shared_buffers=64MB" \
        start >/dev/null 2>&1; then
        started=yes
        break
    fi
    grep -q "could not bind" "$work/server.log" 2>/dev/null || break
    port=$((port + 7))
done
[ -n "$started" ] || { cat "$work/server.log" >&2; fail "PostgreSQL did not start"; }

TEST_POSTGRES_URL="postgres://passerelle@127.0.0.1:$port/postgres"
export TEST_POSTGRES_URL

# In the background with a `wait`, so that a signal is handled at once; as a group of its own, so that a
# signal ends everything it started.
exec 3<&0
if command -v setsid >/dev/null 2>&1; then setsid "$@" <&3 & else "$@" <&3 & fi
child=$!
wait "$child"
status=$?
child=
stop "$status"
