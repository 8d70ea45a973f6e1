#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# look.sh: the dashboard in a real browser, Debian's chromium, with a server that pages.sh fills: what
# is serious to axe-core on any kind of page, errors on its console, what does not fit a narrow
# screen, the keys, and the way from the overview to a regression. Pictures of every page, light and
# dark, wide and narrow, are left in build/screenshots.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

# shellcheck source=tests/browser/driver.sh
. "$root/tests/browser/driver.sh"

mkfifo "$tmp/hold"
tests/browser/pages.sh --serve <"$tmp/hold" >"$tmp/serve.out" 2>"$tmp/serve.log" &
running[serve]=$!
exec {hold}>"$tmp/hold" # the server ends when this is closed
wait_for 300 grep -q '^http' "$tmp/serve.out" || not_ok "a filled server"
url=$(tail -n 1 "$tmp/serve.out")

drive look.cjs "$url" "$root/build/screenshots"
exec {hold}>&-
wait "${running[serve]}"
unset 'running[serve]'
finish
