#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The tests, called by `make check`: lint, units as built and under ASan and UBSan, the real server
# and agent on loopback (the sanitized ones), a browser, one real kernel by itself and through the
# dashboard, and some of the planted defects. The last line sums them up.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0
logs=$(mktemp -d)
beside=
trap 'if [ -n "$beside" ]; then kill "$beside" 2>/dev/null; fi; rm -rf "$logs"' EXIT

# part NAME COMMAND...: its last line is "N passed, N failed".
part() {
	local name=$1 begin=$SECONDS
	shift
	echo "=== $name"
	"$@" 2>&1 | tee "$logs/part"
	count "$name" "$logs/part"
	echo "=== $name: $((SECONDS - begin)) s"
}
count() { # NAME LOG
	local name=$1 line
	line=$(tail -n 1 "$2")
	if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
	else
		echo "$name did not end with its count"
		failed=$((failed + 1))
	fi
}
# What mostly waits runs beside the others: a machine that says nothing is waited for, four minutes.
begin_beside() {
	"$@" >"$logs/beside" 2>&1 &
	beside=$!
}
end_beside() { # NAME
	echo "=== $1, begun before"
	wait "$beside"
	beside=
	cat "$logs/beside"
	count "$1" "$logs/beside"
}
lint() {
	if tools/lint.sh; then echo "1 passed, 0 failed"; else echo "0 passed, 1 failed"; fi
}
asan=build-asan

part lint lint
part units make -s check-unit
part "units, sanitized" make -s O=$asan SAN=address,undefined check-unit
make -s O=$asan SAN=address,undefined all || failed=$((failed + 1))
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
begin_beside env BUILD=$asan tests/integration/loop.sh
for script in tests/integration/*.sh tests/exchange/*.sh tests/browser/pages.sh; do
	case ${script##*/} in
	lib.sh | loop.sh | real.sh | machines.sh | history.sh) ;;
	*) part "${script##*/}" env BUILD=$asan "$script" ;;
	esac
done
part "histories" env BUILD=$asan tests/integration/history.sh toy 40 1 2 3
end_beside loop.sh
unset ASAN_OPTIONS UBSAN_OPTIONS
part "look.sh, in a browser" tests/browser/look.sh
part "live.sh, in a browser" tests/browser/live.sh
part "a real kernel" tests/integration/real.sh
part "journey.sh, in a browser" tests/browser/journey.sh
# Three of the planted defects, found by three kinds of checks, and the kernel without them once
# (`make defects` does them all). Import, objects and compiler cache are those of the real kernel above.
part "planted defects" env DEFECTS_DIR="$PWD/build/real" DEFECTS_CLEAN=default \
	DEFECTS_REPEAT=1 jobs/demo/defects.sh 01 05 09
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
