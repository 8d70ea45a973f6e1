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
if [ "$(git -C "$keep/lazy-pgtable" rev-parse HEAD 2>/dev/null)" != "$want" ]; then
	git -C "$keep/demo.git" worktree prune
	rm -rf "$keep/lazy-pgtable"
	git -C "$keep/demo.git" worktree prune
	git -C "$keep/demo.git" worktree add -q --detach "$keep/lazy-pgtable" "$want"
fi

"$bin/faultline" run "$keep/lazy-pgtable" --work "$keep/work" --format json >"$tmp/run.json" 2>"$tmp/run.log"
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

# The kernel says itself where its BUG is, the source has one there, and so the trace has to begin.
crash() { jq -r "[.results[] | select(.case == \"split.mprotect\" and .splat != null)][0] | $1" "$tmp/run.json"; }
bugs=$(awk '/^static void __split_huge_pmd_locked\(/ { on = 1 } on && /VM_BUG_ON/ { print "mm/huge_memory.c:" NR }
	on && /^}/ { exit }' "$keep/lazy-pgtable/mm/huge_memory.c")
where=$(crash '.splat.stack[0] | .file + ":" + (.line | tostring)')
check "the trace begins at a line that has a BUG" grep -qxF "$where" <<<"$bugs"
check "the kernel names the same line" grep -qF "kernel BUG at $where!" <(crash .splat.excerpt)
equal "the failed allocation is where it is" "$(crash '[.stack_info[0].frames[] |
	select(.function == "pte_alloc_one")][0].file')" arch/x86/mm/pgtable.c
check "what was inlined is told" test "$(crash '[.splat.stack[] | select(.inlined)] | length')" -gt 0
equal "nothing stays without lines" "$(jq '[.results[] | select(.undecoded)] | length' "$tmp/run.json")" 0
kernel=$(sed -n 's/.* --kernel \([^ ]*\).*/\1/p' <<<"$repro")
mkdir "$tmp/kernel"
ln -s "$kernel" "${kernel%/arch/*}/System.map" "${kernel%/arch/*}/vmlinux" "$tmp/kernel"
crash .splat.excerpt >"$tmp/console"
"$bin/faultline" classify --vmlinux "$tmp/kernel/vmlinux" --format json "$tmp/console" >"$tmp/classified"
equal "classify decodes the same from the log" \
	"$(jq -r '.splats[0].stack[0] | .file + ":" + (.line | tostring)' "$tmp/classified")" "$where"
check "machines of every kind" tests/integration/machines.sh "$tmp/kernel"
finish
