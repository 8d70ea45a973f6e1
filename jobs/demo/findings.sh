#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# findings.sh DIR BRANCH...            table: scenarios × branches, what the sweep found at the tip
# findings.sh --check DIR BRANCH...    says which expected finding is missing; exit 1 if any is
#
# DIR holds BRANCH.json (`faultline results --format json`) and BRANCH.tip (its commit).
set -euo pipefail

check=
[ "${1:-}" != --check ] || { check=1; shift; }
dir=$1
shift

# Results of the branch's tip, one line each: scenario, mode, closing, status, reason, title,
# injected on target, delta of the counter of failed splits.
rows() {
	jq -r --arg tip "$(cat "$dir/$1.tip")" '
		.results[] | select(.commit == $tip) |
		[.case, .fault.mode, (.closing // false), .status, .reason // "",
		 (.splat.title // "-"), .injected.on_target,
		 (.counters.thp_split_pmd_failed.delta // 0), (.points // 0)] | @tsv' "$dir/$1.json"
}

cell() {
	rows "$1" | awk -F'\t' -v scenario="$2" '
		$1 == scenario && $2 == "sweep" && ($3 == "true" || $4 == "SKIP") {
			status = $4; reason = $5; points = $9 }
		$1 == scenario && $2 == "sweep" && $3 == "false" { injected += $7; title = $6 }
		END {
			text = status ? status : "-"
			if (reason) text = text "/" reason
			if (status == "PASS") text = text " (" injected + 0 " injected)"
			print text
		}'
}

table() {
	local scenario branch
	printf '%-24s' ""
	for branch in "$@"; do printf '%-26s' "$branch"; done
	printf '\n%-22s' ""
	for branch in "$@"; do printf '%-26.12s' "$(cat "$dir/$branch.tip")"; done
	echo
	rows "$1" | cut -f1 | sort -u | while read -r scenario; do
		printf '%-24s' "$scenario"
		for branch in "$@"; do printf '%-26s' "$(cell "$branch" "$scenario")"; done
		echo
	done
	for branch in "$@"; do
		rows "$branch" | awk -F'\t' -v b="$branch" '$6 != "-" { print "  " b ": " $1 ": " $6 }' |
			sort -u
	done
}

# expect DESCRIPTION BRANCH AWK-CONDITION over the rows: some row must satisfy it.
failed=0
expect() {
	if ! rows "$2" | awk -F'\t' "$3 { found = 1 } END { exit !found }"; then
		echo "demo: not as expected: $2: $1" >&2
		failed=1
	fi
}
# never DESCRIPTION BRANCH AWK-CONDITION: no row may satisfy it.
never() {
	if rows "$2" | awk -F'\t' "$3 { found = 1 } END { exit !found }"; then
		echo "demo: not as expected: $2: $1" >&2
		failed=1
	fi
}

if [ -z "$check" ]; then
	table "$@"
	exit 0
fi

# What no kernel of this architecture or configuration can do is skipped everywhere.
skipped='($4 == "SKIP" && ($5 == "kconfig" || $5 == "arch"))'
# Of file pages: no kernel allocates there, so nothing can be injected and all must pass.
control='($1 == "split.uprobe")'

never "a split case with a fault that is not skipped" base \
	"\$1 ~ /^split/ && \$2 != \"none\" && !(\$4 == \"SKIP\" && \$5 == \"predeposit\") && !$skipped && !$control"
expect "SKIP/predeposit" base '$5 == "predeposit"'
for scenario in mprotect munmap map_fixed mbind madv_free madv_cold madv_pageout debugfs \
	soft_offline hwpoison underused; do
	expect "split.$scenario: FAIL with a kernel BUG" lazy-pgtable \
		"\$1 == \"split.$scenario\" && \$4 == \"FAIL\" && \$5 == \"bug\" && \$6 ~ /BUG/"
done
# Nothing stops these two: the boundary inside a huge PMD, and the child's lost data, are found by
# looking.
expect "split.mlock: FAIL/invariant" lazy-pgtable '$1 == "split.mlock" && $5 == "invariant"'
expect "split.fork_pinned: FAIL" lazy-pgtable '$1 == "split.fork_pinned" && $4 == "FAIL"'
expect "split.madv_dontneed: PASS with injected = failed splits > 0" lazy-pgtable \
	'$1 == "split.madv_dontneed" && $2 == "sweep" && $4 == "PASS" && $7 > 0 && $7 == $8'
while read -r scenario; do
	expect "$scenario: the sweep ends by itself" lazy-pgtable \
		"\$1 == \"$scenario\" && \$2 == \"sweep\" && \$3 == \"true\" && \$5 != \"truncated\""
	expect "$scenario: PASS with an injection" lazy-pgtable-checked \
		"\$1 == \"$scenario\" && \$2 == \"sweep\" && \$4 == \"PASS\" && \$7 > 0"
done < <(rows lazy-pgtable | awk -F'\t' "\$1 ~ /^split/ && !$skipped && !$control { print \$1 }" | sort -u)
never "something that is neither PASS nor skipped everywhere" lazy-pgtable-checked \
	"\$4 != \"PASS\" && !$skipped"
[ "$failed" = 0 ] && echo "demo: the findings are the expected ones" >&2
exit "$failed"
