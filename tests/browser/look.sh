#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# look.sh: the dashboard in a real browser, Debian's chromium, with a server that pages.sh fills: what
# is serious to axe-core on any kind of page, errors on its console, what does not fit a narrow
# screen, the keys, and the way from the overview to a regression. Pictures of every page, light and
# dark, wide and narrow, are left in build/screenshots.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

here=$root/tests/browser/look
modules=$root/${BUILD:-build}/look
mkdir -p "$modules"
# The browser's driver, as package-lock.json says; once a build folder.
if ! cmp -s "$here/package-lock.json" "$modules/installed"; then
	cp "$here/package.json" "$here/package-lock.json" "$modules"
	(cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund) >"$tmp/npm.log" 2>&1 &&
		cp "$here/package-lock.json" "$modules/installed"
fi
check "the browser's driver is installed" test -f "$modules/installed"

mkfifo "$tmp/hold"
tests/browser/pages.sh --serve <"$tmp/hold" >"$tmp/serve.out" 2>"$tmp/serve.log" &
running[serve]=$!
exec {hold}>"$tmp/hold" # the server ends when this is closed
wait_for 300 grep -q '^http' "$tmp/serve.out" || not_ok "a filled server"
url=$(tail -n 1 "$tmp/serve.out")

node "$here/look.cjs" "$modules" "$url" "$root/build/screenshots" >"$tmp/look.out" 2>"$tmp/look.log"
code=$?
cat "$tmp/look.out"
while read -r n word; do
	case $word in
	passed) passed=$((passed + n)) ;;
	failed) failed=$((failed + n)) ;;
	esac
done < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 passed\n\2 failed/p' "$tmp/look.out")
check "it was looked at to the end" test "$code" = 0
exec {hold}>&-
wait "${running[serve]}"
unset 'running[serve]'
finish
