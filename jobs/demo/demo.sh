#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The demonstration, called by `make demo`: imports a kernel, starts a server and an agent on this
# machine, has three branches tested, and prints what was found.
#
#   DEMO_EXIT=1      end afterwards: exit 0 if the findings are the expected ones, else 1
#   DEMO_DIR=DIR     where everything is kept (default: below the build folder); run again, it
#                    goes on with what is there
#   DEMO_LISTEN=A:P  where the dashboard listens (default 127.0.0.1:0, any free port)
set -euo pipefail
cd "$(dirname "$0")/../.."

bin=$PWD/${BUILD:-build}/bin
dir=${DEMO_DIR:-$PWD/${BUILD:-build}/demo}
source=${DEMO_SOURCE:-/usr/src/linux-source-6.12.tar.xz}
begin=$(date +%s)
pids=()

say() { echo "demo: $*" >&2; }
die() { say "$*"; exit 2; }

stop() {
	local pid
	# Two signals: an agent finishes its jobs after the first and gives them back after both.
	for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do kill -INT "$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
}
trap stop EXIT
trap 'exit 130' INT TERM

# What it takes: the repository 0.4, the agent's objects 0.4, sources 1.7, a build tree 1, ccache 1.
need_mib=6144
mkdir -p "$dir"
free_mib=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
[ "$free_mib" -ge "$need_mib" ] ||
	die "takes $need_mib MiB in '$dir', and $free_mib MiB are free (DEMO_DIR names another folder)"

jobs/demo/import.sh "$source" "$dir/demo.git" "$bin/tar_fast_import"
imported=$(date +%s)

cat >"$dir/server.conf" <<CONF
[server]
listen = ${DEMO_LISTEN:-127.0.0.1:0}
data = $dir/data
poll_seconds = 5

[repo demo]
url = $dir/demo.git
local = yes
base = base
branch = base plan=thp-split
branch = lazy-pgtable base=base plan=thp-split
branch = lazy-pgtable-checked base=lazy-pgtable plan=thp-split
CONF

[ -s "$dir/agent.token" ] ||
	(umask 077; "$bin/faultline-server" --config "$dir/server.conf" token add demo-agent agent \
		>"$dir/agent.token.part" && mv "$dir/agent.token.part" "$dir/agent.token")

: >"$dir/server.out"
"$bin/faultline-server" --config "$dir/server.conf" >"$dir/server.out" 2>"$dir/server.log" &
pids+=($!)
server=${pids[0]}
url=
while [ -z "$url" ]; do
	kill -0 "$server" 2>/dev/null || { cat "$dir/server.log" >&2; die "the server did not start"; }
	url=$(sed -n 's/^listening on //p' "$dir/server.out")
	[ -n "$url" ] || sleep 0.1
done
export FAULTLINE_SERVER=$url
say "dashboard: $url/"

"$bin/faultline-agent" --server "$url" --token-file "$dir/agent.token" --work "$dir/agent" \
	--name demo 2>"$dir/agent.log" &
pids+=($!)

api() { curl -fsS --max-time 30 "$url/api/v1/$1"; }

# The submission that the tracker made for a branch; it appears when the branch was seen.
submission() {
	local id=
	while [ -z "$id" ]; do
		id=$(api branches | jq -r --arg ref "$1" \
			'.items[] | select(.ref == $ref) | .submission // empty')
		[ -n "$id" ] || sleep 0.5
	done
	echo "$id"
}

branches=(base lazy-pgtable lazy-pgtable-checked)
declare -A found
for branch in "${branches[@]}"; do
	found[$branch]=$(submission "$branch")
	say "branch $branch is submission ${found[$branch]}"
done
for branch in "${branches[@]}"; do
	"$bin/faultline" watch "${found[$branch]}" >/dev/null 2>"$dir/watch.log" || true
	say "$branch done after $(($(date +%s) - begin)) s"
done

# One result of the branch's tip: the closing one of a sweep, or the worst of the others.
tip() { api branches | jq -r --arg ref "$1" '.items[] | select(.ref == $ref) | .tip'; }
for branch in "${branches[@]}"; do
	"$bin/faultline" results "${found[$branch]}" --format json >"$dir/$branch.json" || true
	tip "$branch" >"$dir/$branch.tip"
done

jobs/demo/findings.sh "$dir" "${branches[@]}"

# Builds run one after the other, and tests beside them: what is left is ours.
builds=$(for branch in "${branches[@]}"; do api "submissions/${found[$branch]}"; done |
	jq -r '.matrix.rows[].build.id' | sort -u |
	while read -r id; do api "builds/$id"; done | jq -s 'map(.duration_us) | add / 1e6 | floor')
total=$(($(date +%s) - begin))
import=$((imported - begin))
if ((import + builds > total)); then # it went on with what was there
	say "took $total s"
else
	say "took $total s: import $import s, compiling kernels $builds s, the rest $((total - import - builds)) s"
fi

code=0
jobs/demo/findings.sh --check "$dir" "${branches[@]}" || code=1
[ -z "${DEMO_EXIT:-}" ] || exit "$code"
say "dashboard: $url/   (Ctrl-C ends server and agent)"
wait "$server"
