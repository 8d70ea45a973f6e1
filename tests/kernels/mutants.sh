#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The negative controls of the scenarios, called by `make mutants`: kernels that are wrong in many
# places at once (mutants/NN-name.patch), each of them where one scenario must notice it and under
# the reason that the table says (mutants/expected).
#
#   mutants.sh [NAME...]   all of it, or only the kernels whose names begin so
#
# Kernels, sources and results are kept where defects.sh keeps its own, and that script's
# environment holds: DEFECTS_DIR, DEFECTS_BUILD, DEMO_SOURCE. Only the scenarios of the table run,
# without a fault and with each allocation failing in turn: a mutant is no kernel to be found by
# whichever scenario, it is there to be found by each of its own.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

name=mutants
here=$PWD/tests/kernels/mutants
only=("$@")
. jobs/demo/patched.sh

line() { printf '%-24s | %-9s | %-26s | %-5s | %-9s | %s\n' "$@"; }

# kernel PATCH CONFIG: builds it, and runs all scenarios that the table has for it.
kernel() {
	local patch config scenario arguments=()
	build "$1" "$2" || return 1
	while read -r patch config scenario _; do
		[ "$patch $config" != "$1 $2" ] || arguments+=(-s "$scenario")
	done < <(rows)
	run "mutant-$1-$2" "$1" "$2" "${arguments[@]}" -f none -f sweep
}

# row PATCH CONFIG SCENARIO FAULT REASON: did the scenario fail, and for no other reason?
row() {
	local file=$dir/results/mutant-$1-$2.json mine reasons by
	mine="map(select(.case == \"$3\" and .fault.mode == \"$4\"))"
	reasons=$(failures "$file" "$mine | map(.reason) | unique | join(\",\")")
	by=$(failures "$file" "$mine | .[0].detail // \"passes\"")
	line "$1" "$2" "$3" "$4" "${reasons:--}" "${by:0:60}"
	if [ "$reasons" = "$5" ]; then ok; else not_ok "$3 on $1, $4: '$reasons', not '$5'"; fi
}

# Every scenario that can run on this architecture has a line.
complete() {
	local ident scenario
	while read -r ident scenario; do
		grep -qF "scenario_$ident(" jobs/guest/s_unreachable.c || rows | grep -q " $scenario " ||
			not_ok "$scenario has no negative control"
	done < <(sed -n 's/^SCENARIO(\([a-z_0-9]*\), "\([^"]*\)".*/\1 \2/p' jobs/guest/scenarios.def)
}

complete
line kernel config scenario fault reason "what the scenario says"
while read -r patch config; do
	wanted "$patch" || continue
	if ! kernel "$patch" "$config"; then
		not_ok "$patch, $config: could not be built or run"
		continue
	fi
	while read -r of in scenario fault reason _; do
		[ "$of $in" != "$patch $config" ] || row "$of" "$in" "$scenario" "$fault" "$reason"
	done < <(rows)
done < <(rows | awk '{ print $1, $2 }' | sort -u)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
