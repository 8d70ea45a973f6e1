#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# live.sh: pages that stay open, in a real browser: what happens shows without a reload, also after the
# server was away.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"
# shellcheck source=tests/browser/driver.sh
. "$root/tests/browser/driver.sh"

toy_init
commit base 'exit 0' >/dev/null
toy_config >"$tmp/server.conf"
token dev maintainer
drive live.cjs "$bin/faultline-server" "$tmp/server.conf" "$tmp/dev.token"
finish
