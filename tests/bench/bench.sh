#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# bench.sh, called by `make bench`: what we promise about speed, each figure beside the bare
# alternative that was measured in the same run, with its goal. The table goes to stdout, what the
# single measurements print to $BUILD/bench/*.log. Exit 0 when every goal is met, 1 when one is
# missed, 2 when something could not be measured.
#
#   BENCH_KERNEL=bzImage  BENCH_TREE=DIR   default: what `make demo` or `make check` left
#   BENCH_ONLY="boot plan failcmd rebuild api"   some of them
#   BENCH_ROUNDS=5                         of each; medians are shown
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
unset MAKEFLAGS MFLAGS
build=${BUILD:-build} rounds=${BENCH_ROUNDS:-5} only=${BENCH_ONLY:-boot plan failcmd rebuild api}
work=$build/bench
mkdir -p "$work"
missed=0 broken=0 table=()

wanted() { [[ " $only " == *" $1 "* ]]; }
say() { echo "bench: $*" >&2; }
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'; }
ratio() { awk -v o="$1" -v b="$2" 'BEGIN { printf "%.2f", o / b }'; }
# row NAME OURS BARE RATIO GOAL CONDITION: the condition is awk's, of r (ratio) and o (ours).
row() {
	local verdict=met
	awk -v o="${2%% *}" -v r="$4" "BEGIN { exit !($6) }" || { verdict=MISSED missed=1; }
	table+=("$(printf '%-42s %12s %12s %7s  %-9s %s' "$1" "$2" "$3" "${4:--}" "$5" "$verdict")")
}
not_measured() { # NAME WHY
	broken=1
	table+=("$(printf '%-42s not measured: %s' "$1" "$2")")
}

# ---- what is measured with -------------------------------------------------------------------
first() { # first NAME FOLDER...: the newest match below the folders
	local name=$1
	shift
	find "$@" -maxdepth 9 -path "*/$name" -printf '%T@ %p\n' 2>/dev/null | sort -rn |
		sed -n '1s/^[^ ]* //p'
}
kernel=${BENCH_KERNEL:-$(first arch/x86/boot/bzImage "$build/demo")}
kernel=${kernel:-$(first arch/x86/boot/bzImage "$build/real")}
tree=${BENCH_TREE:-}
[[ -n $tree || ! -f $build/real/lazy-pgtable/mm/huge_memory.c ]] || tree=$build/real/lazy-pgtable
if [[ -z $tree ]]; then
	tree=$(first mm/huge_memory.c "$build/demo" "$build/real")
	tree=${tree%/mm/huge_memory.c}
fi
missing() {
	echo "bench: there is no $1 to measure with: run 'make demo DEMO_EXIT=1' or 'make check' first," \
		"or name one with $2" >&2
	exit 2
}
if wanted boot || wanted plan || wanted failcmd; then [[ -s $kernel ]] || missing "kernel image" BENCH_KERNEL; fi
if wanted rebuild || wanted failcmd; then [[ -s $tree/mm/huge_memory.c ]] || missing "kernel tree" BENCH_TREE; fi

# ---- the measurements ------------------------------------------------------------------------
# Rests of an older run that was killed would be measured too.
api_dir=$(mktemp -d "$work/api.XXXXXX")
trap 'rm -rf "$api_dir"' EXIT

bench_boot() {
	local log=$work/boot.log bare ours total
	BUILD=$build tests/bench/boot.sh "$kernel" "$rounds" >"$log" 2>&1
	bare=$(sed -n 's/^bare QEMU, start to ready: *\([0-9]*\) ms$/\1/p' "$log")
	ours=$(sed -n 's/^faultline, start to ready: *\([0-9]*\) ms$/\1/p' "$log")
	total=$(sed -n 's/^faultline, one case, all of it: *\([0-9]*\) ms$/\1/p' "$log")
	[[ -n $bare && -n $total ]] || { not_measured "boot" "see $log"; return; }
	# The bare machine runs no case: ours has more to do in the time that is compared.
	row "start to one case's result, all of it" "$total ms" "$bare ms" "$(ratio "$total" "$bare")" \
		"<= 1.15" "r <= 1.15"
	table+=("$(printf '%-42s %12s %12s %7s' "  of it the machine, start to ready" \
		"$ours ms" "$bare ms" "$(ratio "$ours" "$bare")")")
}

bench_plan() {
	local log=$work/plan.log json=$work/plan.json i begin seconds n
	local -a all=()
	: >"$log"
	for ((i = 0; i < (rounds + 1) / 2; i++)); do
		begin=$EPOCHREALTIME
		"$build/bin/faultline" run --kernel "$kernel" --plan thp-split --accel tcg --format json \
			>"$json" 2>>"$log"
		(($? <= 1)) || { not_measured "the plan thp-split" "see $log"; return; }
		all+=("$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')")
	done
	seconds=$(printf '%s\n' "${all[@]}" | median)
	n=$(jq -r '(.results | length | tostring) + " results, " + (.machine.boots | tostring) + " machines"' \
		"$json")
	row "the plan thp-split ($n)" "$seconds s" "-" "" "<= 15 s" "o <= 15"
}

# One of failcmd.sh's lines: NAME ISOLATION:JOBS WHAT
failcmd_row() {
	local log=$work/failcmd.log ours bare ratio
	read -r ours bare ratio < <(sed -n \
		"s/^$2 $3: ours \([0-9.]*\) bare \([0-9.]*\) ratio \([0-9.]*\)$/\1 \2 \3/p" "$log")
	[[ -n ${ratio:-} ]] || { not_measured "$1" "see $log"; return; }
	row "$1" "$ours /s" "$bare /s" "$ratio" ">= 20" "r >= 20"
}

bench_failcmd() {
	local log=$work/failcmd.log kind kinds=(snapshot:1 shared:1 "snapshot:$(nproc)" "shared:$(nproc)") ms
	OURS="${kinds[*]}" BUILD=$build tests/bench/failcmd.sh "$kernel" "$tree" $(((rounds + 1) / 2)) >"$log" 2>&1
	for kind in "${kinds[@]}"; do
		failcmd_row "cases, $kind, over failcmd.sh" "$kind" cases
		failcmd_row "  injections proven" "$kind" injections
		failcmd_row "  cases, boot included" "$kind" boot
	done
	ms=$(sed -n 's/^snapshot:1 restore to result: \([0-9]*\) ms$/\1/p' "$log")
	[[ -n $ms ]] || { not_measured "restore to result" "see $log"; return; }
	row "restore to result, median" "$ms ms" "-" "" "<= 300 ms" "o <= 300"
}

bench_rebuild() {
	local log=$work/rebuild.log ratio
	BUILD=$build tests/bench/rebuild.sh "$tree" "$work/rebuild" $(((rounds + 1) / 2)) >"$log" 2>&1
	ratio=$(sed -n 's/^median ratio \([0-9.]*\) .*/\1/p' "$log")
	[[ -n $ratio ]] || { not_measured "a rebuild" "see $log"; return; }
	row "a rebuild after one changed mm/*.c" \
		"$(sed -n 's/^round .*faultline \([0-9.]*\) s$/\1/p' "$log" | median) s" \
		"$(sed -n 's/^round .*plain \([0-9.]*\) s,.*/\1/p' "$log" | median) s" \
		"$ratio" "<= 1.15" "r <= 1.15"
}

bench_api() {
	local log=$work/api.log ours bare ratio
	local objects=("$build"/obj/tests/bench/api_{results,doc,raw}.o)
	local archives=("$build"/lib/lib{agent,jobs,lib}.a) libs
	read -ra libs < <(pkg-config --libs json-c libsodium libcurl libzstd inih sqlite3)
	make -s O="$build" "${objects[@]}" "${archives[@]}" >&2 &&
		"${CC:-gcc}" -pthread -pie -o "$work/api_results" "${objects[@]}" \
			-Wl,--start-group "${archives[@]}" -Wl,--end-group "${libs[@]}" ||
		{ not_measured "results through the API" "it does not compile"; return; }
	"$work/api_results" "$build/bin/faultline-server" "$api_dir" 16 "$rounds" >"$log" 2>&1
	read -r ours bare ratio < <(sed -n 's/^ours=\(.*\) bare=\(.*\) ratio=\(.*\)$/\1 \2 \3/p' "$log")
	[[ -n ${ratio:-} ]] || { not_measured "results through the API" "see $log"; return; }
	row "durable results through the API" "$ours /s" "$bare /s" "$ratio" ">= 0.25" "r >= 0.25"
}

for what in boot plan failcmd rebuild api; do
	wanted $what || continue
	say "$what"
	bench_$what
done
printf '%-42s %12s %12s %7s  %s\n' "" "faultline" "bare" "ratio" "goal"
printf '%s\n' "${table[@]}"
((broken)) && exit 2
exit "$missed"
