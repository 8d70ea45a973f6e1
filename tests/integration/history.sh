#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# history.sh KIND RATE SEED...: is the first bad commit found?
#
# For each seed a branch of 64 commits, one of which brings a defect that shows in RATE of a hundred
# runs; two commits do not build and one does not boot. Where they lie is drawn by the seed. A server
# follows the branch, an agent builds and tests, and nobody helps. What shows rarely may miss the
# plan's one run: then more commits are pushed, as they would be, until it is seen.
#
#   KIND toy    a stand-in for the kernel that builds at once, one for QEMU that plays it; the
#               server, the agent and git are the real ones
#        real   the kernel of the demonstration (branch lazy-pgtable-checked): each commit changes
#               a file below mm/, the defect leaves failed splits uncounted
#
# Wrong is an accused commit that is not the one; that is never allowed. Of up to ten seeds one may end
# with nobody accused; when it shows in every run, none.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

kind=${1:?toy or real} rate=${2:?percent}
shift 2
commits=64

# --- histories ----------------------------------------------------------------------------------------
# draw SEED: where what lies. What does not build or boot beside the defect would leave an interval.
draw() {
	local n
	RANDOM=$1
	culprit=$((1 + RANDOM % commits))
	unset odd
	declare -gA odd=()
	for n in build build2 boot; do
		local at=$culprit
		while [ $((at - culprit)) -ge -1 ] && [ $((at - culprit)) -le 1 ] || [ -n "${odd[$at]:-}" ]; do
			at=$((1 + RANDOM % (commits - 1)))
		done
		odd[$at]=${n%2}
	done
}

toy_begin() { toy checkout -q -B "next-$1" main; }
toy_step() { # N good|bad build|boot|'': sets sha
	local script=$'ready\nserve 1' build=true
	[ "$2" = good ] || script=$(printf 'ready\nchance %s\ndie split.mprotect 1 crash_here\nserve 1' "$rate")
	[ "$3" != boot ] || script=$'panic start_kernel'
	[ "$3" != build ] || build='echo "mm/x.c:1:1: error: no" >&2; exit 2'
	sha=$(commit "$ref: step $1" "$script" "$build")
}
toy_push() { toy branch -f "$1" "next-$1"; }

# The commits are made in an index; no work tree of the kernel is needed.
real_begin() { sha=$start && kernel read-tree "$sha"; }
kernel() { GIT_INDEX_FILE=$tmp/index git --git-dir="$keep/history.git" -c user.name=History \
	-c user.email=history@localhost "$@"; }
put() { # FILE, its text on standard input
	local blob
	blob=$(kernel hash-object -w --stdin) && kernel update-index --cacheinfo "100644,$blob,$1"
}
files=(mm/memory.c mm/mmap.c mm/mprotect.c mm/mremap.c mm/madvise.c mm/rmap.c mm/util.c mm/vmscan.c
	mm/vmstat.c mm/page_alloc.c mm/mlock.c mm/swap.c mm/gup.c mm/mempolicy.c mm/oom_kill.c)
real_step() {
	local file=${files[RANDOM % ${#files[@]}]} tree
	{
		kernel show ":$file"
		# every fourth commit changes no code
		if [ $(($1 % 4)) -eq 0 ]; then echo "/* step $1 */"
		else echo "static const char history_step_$1[] __used = \"step $1\";"; fi
	} | put "$file" || return 1
	if [ "$2" = bad ] && [ "$1" = "$culprit" ]; then
		kernel show ":mm/huge_memory.c" | sed "s/count_vm_event(THP_SPLIT_PMD_FAILED);/if \
(random_get_entropy() % 100 >= $rate)\\n\\t\\t\\t\\t&/" >"$tmp/bad.c"
		put mm/huge_memory.c <"$tmp/bad.c" || return 1
	fi
	tree=$(kernel write-tree)
	case $3 in
	build) { kernel show :mm/vmstat.c; echo "int history_step_$1(void) { return }"; } | put mm/vmstat.c ;;
	boot) { kernel show :mm/vmstat.c; echo "static int __init history_step_$1(void) { \
panic(\"step $1\"); } early_initcall(history_step_$1);"; } | put mm/vmstat.c ;;
	esac
	sha=$(echo "mm: step $1" | kernel commit-tree "$(kernel write-tree)" -p "$sha")
	kernel read-tree "$tree" # the next commit mends what does not build or boot
}
real_push() { kernel update-ref "refs/heads/$1" "$sha"; }

if [ "$kind" = toy ]; then
	toy_init
	start=$(commit "mm: all is well" $'ready\nserve 1')
	repo=$tmp/toy/.git work=$tmp/agent
else
	keep=$root/build/history # sources and objects stay: the next run compiles less
	mkdir -p "$keep"
	jobs/demo/import.sh "${DEMO_SOURCE:-/usr/src/linux-source-6.12.tar.xz}" "$keep/demo.git" \
		"$bin/tar_fast_import" || { not_ok "import"; finish; exit 1; }
	rm -rf "$keep/history.git"
	git clone -q --bare --shared --single-branch --branch lazy-pgtable-checked "$keep/demo.git" \
		"$keep/history.git"
	start=$(git --git-dir="$keep/history.git" rev-parse lazy-pgtable-checked)
	git --git-dir="$keep/history.git" update-ref refs/heads/main "$start"
	repo=$keep/history.git work=$keep/agent
fi

# --- server and agent ---------------------------------------------------------------------------------
seeds=("$@")
for seed in "${seeds[@]}"; do
	git --git-dir="$repo" branch "seed-$seed" "$start"
done
cat >"$tmp/server.conf" <<CONF
[server]
data = $tmp/data
poll_seconds = 0

[repo $kind]
url = $repo
local = yes
base = main
$(printf 'branch = seed-%s plan=quick\n' "${seeds[@]}")
CONF
start_service

tested() { # BRANCH COMMIT: and what came out was looked at
	local id
	id=$(api "submissions?limit=100" | jq -r --arg r "$1" --arg s "$2" \
		'.items[] | select(.ref == $r and .head_sha == $s and .state == "done") | .id')
	[ -n "$id" ] && grep -q "submission-compared id=${id%%$'\n'*} " "$tmp/server.log"
}
push() { # BRANCH
	"${kind}_push" "$1" || { not_ok "$1 is not pushed"; return 1; }
	poll
	wait_for 7200 tested "$1" "$(git --git-dir="$repo" rev-parse "$1")" || not_ok "$1 was not tested"
}
known() { api "regressions?repo=$kind&ref=$1&limit=1" | jq -e '.items[0]'; }
ended() { known "$1" | jq -e '.state != "new" and .state != "confirmed"'; }

right=0 wrong=0 unsure=0
search() { # SEED
	local ref=seed-$1 begin=$SECONDS before bad=none found i verdict
	draw "$1"
	wait_for 7200 tested "$ref" "$start" || not_ok "$ref was not tested"
	before=$(builds)
	"${kind}_begin" "$ref"
	for ((i = 1; i <= commits; i++)); do
		"${kind}_step" "$i" "$([ "$i" -lt "$culprit" ] && echo good || echo bad)" "${odd[$i]:-}"
		[ "$i" != "$culprit" ] || bad=$sha
	done
	push "$ref"
	for ((i = 1; i <= 8; i++)); do # what shows rarely is seen with a later commit
		! known "$ref" >/dev/null || break
		"${kind}_step" $((commits + i)) bad ""
		push "$ref"
	done
	wait_for 7200 ended "$ref" || not_ok "seed $1: the search does not end"
	api "regressions/$(known "$ref" | jq .id)" >"$tmp/one"
	found=$(jq -r '.culprit // "none"' "$tmp/one")
	case $found in
	"$bad") verdict=right right=$((right + 1)) ;;
	none) verdict=unsure unsure=$((unsure + 1)) ;;
	*) verdict=WRONG wrong=$((wrong + 1)) ;;
	esac
	builds=$(($(builds) - before))
	printf '%-5s %-7s %-11s %6d %6d %6d %6d %5d s  %s\n' "$1" "$verdict" \
		"$(jq -r .state "$tmp/one")" "$culprit" "$builds" "$(jq '.probes | length' "$tmp/one")" \
		"$(jq '[.probes[].runs] | add // 0' "$tmp/one")" $((SECONDS - begin)) \
		"$(jq -r '.title + "; " + ([.changes[] | select(.state == "bisected" or .state == "flaky")][-1].evidence |
			if .confidence then "confidence \(.confidence * 1000 | floor / 1000), \(.suspects | length) suspects"
			else .why end)' "$tmp/one")"
}
printf '%-5s %-7s %-11s %6s %6s %6s %6s %7s  %s\n' seed verdict state commit builds tests runs time what
most=0
for seed in "${seeds[@]}"; do
	search "$seed"
	[ "$builds" -le "$most" ] || most=$builds
done
echo "$right right, $unsure unsure, $wrong wrong; at most $most kernels of $commits commits"
equal "nobody was accused wrongly" "$wrong" 0
check "the first bad commit is found" test "$unsure" -le $((rate < 100 ? (${#seeds[@]} + 9) / 10 : 0))
# The ends, one of which was built before, log2(64) between them, and what cannot be tried.
[ "$rate" -lt 100 ] || check "two ends, log2(64) and the skips are enough" test $((most + 1)) -le $((2 + 6 + 3))
equal "no kernel was built twice" "$(grep -c ' job-start .* kind=build ' "$tmp/agent.log")" "$(builds)"
finish
