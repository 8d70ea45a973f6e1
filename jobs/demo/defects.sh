#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The planted defects, called by `make defects`: eleven kernels, each broken in a way of its own
# (defects/NN-name.patch), must each be found under their own name (defects/expected), and the
# kernel without them must not be accused of anything.
#
#   defects.sh [NN...]   all of it, or only the defects whose names begin so
#
#   DEFECTS_DIR=DIR      where everything is kept (default: below the build folder)
#   DEFECTS_REPEAT=N     how often the clean kernel runs the plan in each configuration (20)
#   DEFECTS_CLEAN=NAMES  in which configurations it does (default: all that the table names)
#   DEFECTS_BUILD=CMD    what is put before a command that compiles ("nice")
#   DEMO_SOURCE=FILE     the kernel package (default: /usr/src/linux-source-6.12.tar.xz)
#
# Each defect: the patch is applied to one tree, the configuration's one build tree follows with
# what changed, the whole plan `full` runs, the patch is taken back. What is kept is used again
# unless what it was made from has changed: interrupted, it goes on where it was. The times are those
# from the start of the run, kernel given, to the first failure under the right reason, and to the
# last verdict of the whole plan.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

name=defects
here=$PWD/jobs/demo/defects
only=("$@")
repeat=${DEFECTS_REPEAT:-20}
seeds=(2 3 5 8)
. jobs/demo/patched.sh

line() { printf '%-26s | %-9s | %-7s | %-22s | %-45s | %-11s | %s\n' "$@"; }

# Seconds to the first failure of this reason. RESULT REASON
found_after() {
	local s
	s=$(sed -nE "s/^faultline: after ([0-9.]+) s: FAIL $2: .*/\1/p" "$dir/results/$1.log" | head -n 1)
	echo "${s:--} s"
}

# defect PATCH CONFIG SCENARIO FAULT REASON: one line of the table; found under the right reason?
defect() {
	local out=$dir/results/$1-$2 reason reasons by verdict=PASS
	if ! build "$1" "$2" || ! run "$1-$2" "$1" "$2"; then
		line "$1" "$2" - - "could not be built or run" - -
		return 1
	fi
	# The reason that most of the failing points have; a broken kernel also fails in other ways.
	reasons=$(failures "$out.json" 'group_by(.reason) | sort_by(-length) |
		map("\(.[0].reason) \(length)") | join(", ")')
	reason=${reasons%% *}
	by=$(failures "$out.json" 'map(.case + " " + .fault.mode) | unique |
		if length > 1 then "\(length) cases" else (.[0] // "-") end')
	[ -z "$reasons" ] || verdict=FAIL
	if [ "$(failures "$out.json" "any(.[]; .case == \"$3\" and
		.fault.mode == \"$4\" and .reason == \"$5\")")" = true ]; then
		[ "$by" = "$3 $4" ] || by="$3 $4, $by"
	else
		by="not by $3 $4: $by"
		verdict=missed
	fi
	line "$1" "$2" "$verdict" "${reasons:--}" "$by" \
		"$(found_after "$1-$2" "$5")" "$(cat "$out.seconds") s"
	[ "$verdict" = FAIL ] && [ "$reason" = "$5" ]
}

table() {
	local patch config scenario fault reason _ found=0 all=0
	local -A good=()
	line defect config verdict reason "found by" "found after" "whole plan"
	while read -r patch config scenario fault reason _; do
		wanted "$patch" || continue
		[ -n "${good[$patch]:-}" ] || good[$patch]=yes
		defect "$patch" "$config" "$scenario" "$fault" "$reason" || good[$patch]=no
	done < <(rows)
	for patch in "${!good[@]}"; do
		all=$((all + 1))
		if [ "${good[$patch]}" = yes ]; then found=$((found + 1)); ok; else not_ok "$patch"; fi
	done
	echo "$found of $all found under the right reason"
}

# What is no verdict about the kernel, a line each. FILE
undecided() {
	jq -r '.results[] | select(.status == "ERROR" or .status == "MISS") |
		"  \(.status) \(.case) \(.fault.mode): \(.reason): \(.detail)"' "$1"
}

# Every repeat is a run of its own, so that an interrupted night is not lost.
clean() {
	local config i alarms=0 others=0 n
	for config in ${DEFECTS_CLEAN:-$(rows | awk '{ print $2 }' | sort -u)}; do
		build clean "$config" || { not_ok "clean kernel, $config: not built"; continue; }
		for ((i = 1; i <= repeat; i++)); do
			run "clean-$config-$i" clean "$config" ||
				{ not_ok "clean kernel, $config, run $i: no results"; continue; }
			n=$(failures "$dir/results/clean-$config-$i.json" length)
			[ "$n" = 0 ] || failures "$dir/results/clean-$config-$i.json" \
				'.[] | "  \(.case) \(.fault.mode): \(.reason): \(.detail)"'
			alarms=$((alarms + n))
			n=$(undecided "$dir/results/clean-$config-$i.json" | tee -a /dev/stderr | wc -l)
			others=$((others + n))
		done
		say "clean kernel, $config: $repeat runs"
	done
	if [ "$alarms" = 0 ]; then ok; else not_ok "the clean kernel was accused"; fi
	if [ "$others" = 0 ]; then ok; else not_ok "$others results of the clean kernel are ERROR or MISS"; fi
	echo "$alarms false alarms in $repeat repeats"
}

verdicts() { jq -r '.results[] | [.case, .fault.mode, .fault.seed, .repeat, .status, .reason] | @tsv' "$1" |
	sort; }

# What is drawn by a seed must come out the same twice.
seeded() {
	local patch config seeded faults=() seed i changed=0 n
	for seed in "${seeds[@]}"; do faults+=(-f "mode=probability,probability=50,seed=$seed"); done
	while read -r patch config _ _ _ seeded; do
		if [ "$seeded" != yes ] || ! wanted "$patch"; then continue; fi
		build "$patch" "$config" || continue
		for i in 1 2; do
			run "$patch-$config-seeded-$i" "$patch" "$config" -s 'split.m*' "${faults[@]}" ||
				{ not_ok "$patch: no results with a seed"; continue 2; }
		done
		n=$(diff <(verdicts "$dir/results/$patch-$config-seeded-1.json") \
			<(verdicts "$dir/results/$patch-$config-seeded-2.json") | grep -c '^>')
		[ "$(failures "$dir/results/$patch-$config-seeded-1.json" length)" != 0 ] ||
			not_ok "$patch: no seed draws it"
		changed=$((changed + n))
	done < <(rows)
	if [ "$changed" = 0 ]; then ok; else not_ok "verdicts changed between runs with one seed"; fi
	echo "$changed verdicts changed"
}

table
[ "$repeat" = 0 ] || clean
seeded
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
