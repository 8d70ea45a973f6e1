#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Runs cmocka programs (and the fuzzers' corpora), each under a time limit. A program's output is
# shown only when it fails. Last line: "N passed, N failed", summed over all; no test is a failure.
set -uo pipefail
limit=${TEST_TIMEOUT_S:-120}
passed=0 failed=0 skipped=0
out=$(mktemp) || exit 2
trap 'rm -f "$out"' EXIT

count() { # count WORD: the number cmocka gives on its "[  WORD  ] N test(s)" line
	sed -n "s/^\[ *$1 *\] \([0-9][0-9]*\) test(s).*/\1/p" "$out" | tail -1
}

for t in "$@"; do
	name=${t##*/}
	args=()
	if [[ $name == fuzz_* ]]; then
		args=("tests/fuzz/corpus/${name#fuzz_}")
		[[ -d ${args[0]} ]] || { echo "FAIL $name: no corpus in ${args[0]}"; failed=$((failed + 1)); continue; }
	fi
	timeout --kill-after=5 "$limit" "$t" ${args[@]+"${args[@]}"} >"$out" 2>&1 </dev/null
	status=$?
	p=$(count PASSED) f=$(count FAILED) s=$(count SKIPPED)
	p=${p:-0} f=${f:-0} s=${s:-0}
	# A program that died, timed out or ran nothing did not say so itself.
	if ((f == 0)) && { ((status != 0)) || ((p + s == 0)); }; then f=1; fi
	if ((f > 0)); then
		cat "$out"
		((status == 124 || status == 137)) && echo "timed out after $limit s"
		echo "FAIL $name (exit $status)"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
((skipped > 0)) && echo "$skipped skipped"
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
