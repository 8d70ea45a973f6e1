#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# live.sh: pages that stay open, in a real browser: what happens shows without a reload, also after the
# server was away; and a log of 100 MB.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"
# shellcheck source=tests/browser/driver.sh
. "$root/tests/browser/driver.sh"

toy_init
commit base 'exit 0' >/dev/null
commit main 'exit 0' >/dev/null
toy checkout -q -b other
commit other 'exit 1' >/dev/null
toy_config >"$tmp/server.conf"
token dev admin # says what maintainers and agents say
drive live.cjs "$bin/faultline-server" "$tmp/server.conf" "$tmp/dev.token"
rm -rf "$tmp/data"
token dev admin
drive console.cjs "$bin/faultline-server" "$tmp/server.conf" "$tmp/dev.token" "$root/tests/golden/console"
finish
