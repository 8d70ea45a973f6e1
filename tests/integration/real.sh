#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# One real kernel: imported, checked out, built in the sandbox, booted, injected into. It is the
# branch that is known to be broken, so a harness that finds nothing fails here; and the command
# that a failing result names must find the same again.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

keep=$root/build/real # the import and the build tree are kept: the next run compiles nothing
source=${DEMO_SOURCE:-/usr/src/linux-source-6.12.tar.xz}
mkdir -p "$keep"

jobs/demo/import.sh "$source" "$keep/demo.git" "$bin/tar_fast_import" || { not_ok "import"; finish; exit 1; }
ok "import"
want=$(git -C "$keep/demo.git" rev-parse lazy-pgtable)
if [ "$(git -C "$keep/src" rev-parse HEAD 2>/dev/null)" != "$want" ]; then
	git -C "$keep/demo.git" worktree prune
	rm -rf "$keep/src"
	git -C "$keep/demo.git" worktree prune
	git -C "$keep/demo.git" worktree add -q --detach "$keep/src" "$want"
fi

"$bin/faultline" run "$keep/src" --work "$keep/work" --format json >"$tmp/run.json" 2>"$tmp/run.log"
equal "the broken branch fails" $? 1
check "the first failure of each reason is said at once" test "$(grep -cE \
	'^faultline: after [0-9.]+ s: FAIL (bug|invariant): split\.' "$tmp/run.log")" = 2
verdict() { # scenario mode → status/reason of its closing or only result
	jq -r --arg s "$1" --arg m "$2" '[.results[] | select(.case == $s and .fault.mode == $m)] | last |
		.status + "/" + (.reason // "")' "$tmp/run.json"
}
for s in split.mprotect split.munmap split.map_fixed split.mbind split.madv_pageout; do
	equal "$s without a fault" "$(verdict $s none)" "PASS/"
	equal "$s swept" "$(verdict $s sweep)" "FAIL/bug"
	equal "$s burst" "$(verdict $s burst)" "FAIL/bug"
done
equal "split.mlock swept: found by looking" "$(verdict split.mlock sweep)" "FAIL/invariant"
equal "split.madv_dontneed swept" "$(verdict split.madv_dontneed sweep)" "PASS/"
equal "as many failed splits as injections" "$(jq '[.results[] | select(.case == "split.madv_dontneed" and
	.fault.mode == "burst")][0] | .injected.on_target - .counters.thp_split_pmd_failed.delta' \
	"$tmp/run.json")" 0
equal "control.nosplit" "$(verdict control.nosplit sweep)" "PASS/"

repro=$(jq -r '[.results[] | select(.case == "split.mprotect" and .status == "FAIL")][0].repro' "$tmp/run.json")
PATH=$bin:$PATH bash -c "$repro" >"$tmp/repro.out" 2>"$tmp/repro.log"
equal "the repro fails again" $? 1
check "with the same BUG" grep -q 'FAIL *bug .*kernel BUG in' "$tmp/repro.out"

kernel=$(sed -n 's/.* --kernel \([^ ]*\).*/\1/p' <<<"$repro")
mkdir "$tmp/kernel"
ln -s "$kernel" "${kernel%/arch/*}/System.map" "${kernel%/arch/*}/vmlinux" "$tmp/kernel"
check "machines of every kind" tests/integration/machines.sh "$tmp/kernel"
finish
