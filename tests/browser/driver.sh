# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # root and tmp are lib.sh's
#
# driver.sh: the browser's driver, as look/package-lock.json says; installed once a build folder. Source it
# after ../integration/lib.sh. Sets $look, where the scripts are, and $modules, what they are given first.
# shellcheck disable=SC2154 # root, tmp, passed, failed: lib.sh's
look=$root/tests/browser/look
modules=$root/${BUILD:-build}/look
mkdir -p "$modules"
if ! cmp -s "$look/package-lock.json" "$modules/installed"; then
	cp "$look/package.json" "$look/package-lock.json" "$modules"
	# shellcheck disable=SC2154
	(cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund) >"$tmp/npm.log" 2>&1 &&
		cp "$look/package-lock.json" "$modules/installed"
fi
check "the browser's driver is installed" test -f "$modules/installed"

# drive SCRIPT ARGUMENT...: in node; what it counted is counted here.
drive() {
	local script=$1 code n word
	shift
	timeout 600 node "$look/$script" "$modules" "$@" >"$tmp/$script.out" 2>"$tmp/$script.log"
	code=$?
	cat "$tmp/$script.out"
	while read -r n word; do
		case $word in
		passed) passed=$((passed + n)) ;;
		failed) failed=$((failed + n)) ;;
		esac
	done < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 passed\n\2 failed/p' "$tmp/$script.out")
	check "$script came to its end" test "$code" = 0
}
