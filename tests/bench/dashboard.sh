#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# dashboard.sh, called by `make bench-dashboard`: how fast the pages of a large installation are while
# sixteen people read them and results arrive (docs/dashboard.md). Fills a database once, then starts
# the server on a copy of it. Exit 0 when every goal is met, 1 when one is missed, 2 when something
# could not be measured.
#
#   BENCH_SECONDS=30     how long is measured
#   BENCH_READERS=16     connections that always wait for a page
#   BENCH_RATE=200       results that arrive in a second
#   BENCH_DATA=DIR       where the filled database is kept (2 GiB; default: $BUILD/bench/dashboard)
set -euo pipefail
cd "$(dirname "$0")/../.." || exit 2
unset MAKEFLAGS MFLAGS
build=${BUILD:-build} seconds=${BENCH_SECONDS:-30} readers=${BENCH_READERS:-16} rate=${BENCH_RATE:-200}
data=${BENCH_DATA:-$build/bench/dashboard} work=$build/bench
goal_ms=50 goal_bytes=100000
mkdir -p "$work" "$(dirname "$data")"
copy=$(mktemp -d "$data.XXXXXX")
pid=
# Its own process only; the copy is of no use to anybody else.
trap 'if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; fi; rm -rf "$copy"' EXIT

program() { # program NAME "OBJECTS" "ARCHIVES" "PACKAGES"
	local -a objects archives libs
	read -ra objects < <(printf " $build/obj/tests/bench/%s.o" $2)
	read -ra archives < <(printf " $build/lib/lib%s.a" $3)
	read -ra libs < <(pkg-config --libs $4)
	make -s O="$build" "${objects[@]}" "${archives[@]}" >&2 &&
		"${CC:-gcc}" -pthread -pie -o "$work/$1" "${objects[@]}" -Wl,--start-group "${archives[@]}" \
			-Wl,--end-group "${libs[@]}" -lm
}
base="json-c libsodium libcurl libzstd inih"
program dash_fill "dash_fill dash_pages dash_world dash_answer dash_nosync" "server db agent jobs lib" \
	"$base libmicrohttpd libgit2 sqlite3 zlib" &&
	program dash_load "dash_load dash_world dash_answer" "agent jobs lib" "$base" || exit 2

"$work/dash_fill" "$data" || exit 2
cp --reflink=auto -r "$data/." "$copy"

cat >"$copy/server.conf" <<-END
	[server]
	data = $copy
	poll_seconds = 0
	lease_seconds = 3600
END
export FAULTLINE_SHARE=${FAULTLINE_SHARE:-$PWD}
server=$build/bin/faultline-server
token=$("$server" --config "$copy/server.conf" token add bench-agent agent) || exit 2
exec 9< <(exec "$server" --config "$copy/server.conf" --listen 127.0.0.1:0 2>"$work/dashboard.log")
pid=$!
read -r -t 60 line <&9 || { echo "the server does not start; see $work/dashboard.log" >&2; exit 2; }
url=${line#listening on }

"$work/dash_load" "${url%/}" "$token" "$copy/addresses" "$pid" "$seconds" "$readers" "$rate" \
	>"$work/dashboard.tsv" || { cat "$work/dashboard.tsv"; echo "not measured" >&2; exit 2; }
awk -F'\t' -v ms="$goal_ms" -v bytes="$goal_bytes" '
	BEGIN { printf "%-16s %7s %8s %8s %8s %9s %9s %5s  %s\n", "page", "answers", "p50 ms",
		"p95 ms", "p99 ms", "bytes", "unpacked", "needs", "goal: p95 <= " ms " ms, <= " bytes " bytes" }
	$1 ~ /^total / { printf "%-18s %s, %s\n", substr($1, 7), $2, $3; next }
	{ met = $4 <= ms && $6 <= bytes
	  if (!met) missed = 1
	  printf "%-16s %7d %8.1f %8.1f %8.1f %9d %9d %5d  %s\n", $1, $2, $3, $4, $5, $6, $7, $8,
		met ? "met" : "MISSED" }
	END { exit missed }' "$work/dashboard.tsv"
