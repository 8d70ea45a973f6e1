#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# journey.sh: a commit that breaks the kernel, from the push to the line that crashed, as somebody
# sees it in a browser and with the keyboard alone. Server, agent, compiler, QEMU, kernel and browser
# are real. The commit is the demonstration's that allocates page tables when a huge page is split;
# what it is pushed on is its parent.
#
# Sources, objects and compiler cache are those of tests/integration/real.sh: run behind it, this
# compiles what the two commits differ in.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"
# shellcheck source=tests/browser/driver.sh
. "$root/tests/browser/driver.sh"

keep=$root/build/real
mkdir -p "$keep"
jobs/demo/import.sh "${DEMO_SOURCE:-/usr/src/linux-source-6.12.tar.xz}" "$keep/demo.git" \
	"$bin/tar_fast_import" || { not_ok "import"; finish; exit 1; }
repo=$tmp/journey.git
git clone -q --bare --shared --single-branch --branch lazy-pgtable "$keep/demo.git" "$repo"
worse=$(git --git-dir="$repo" rev-parse lazy-pgtable)
git --git-dir="$repo" branch -q topic "$worse^"
git --git-dir="$repo" branch -q start "$worse^"

cat >"$tmp/server.conf" <<CONF
[server]
data = $tmp/data
poll_seconds = 0

[repo demo]
url = $repo
local = yes
base = start
branch = topic base=start plan=quick
CONF
# An agent takes a build and a test side by side only with a second slot, and the CPUs are two.
work=$keep/work
start_service
tested() { [ "$(api branches/demo/topic | jq -r .tip)" = "$1" ] && all_done; }
poll
check "the commit before it is tested" wait_for 1800 tested "$(git --git-dir="$repo" rev-parse start)"

# The browser pushes when it is ready to watch.
cat >"$tmp/push" <<PUSH
#!/bin/sh
git --git-dir='$repo' update-ref refs/heads/topic $worse &&
	curl -fsS --noproxy '*' -X POST -H 'Content-Type: application/json' -d '{}' \\
		-H "Authorization: Bearer \$(cat '$FAULTLINE_TOKEN_FILE')" '$url/api/v1/branches/poll'
PUSH
chmod +x "$tmp/push"
drive journey.cjs "$url" "$root/build/screenshots/journey" "$tmp/push" "$worse"
finish
