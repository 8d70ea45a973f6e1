#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# machines.sh FOLDER: real machines on the kernel in FOLDER (bzImage, System.map, vmlinux if gdb's
# stack is to have names): every isolation gives the same verdicts, a replay is the same byte for
# byte, gdb stops at the injection and at the splat, and no machine outlives its owner.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

folder=${1:?usage: machines.sh FOLDER}
run=("$bin/faultline" run --kernel "$folder/bzImage" --symbols "$folder/System.map" --accel tcg
	--work "$tmp/work")

# What a verdict is made of, without what differs from machine to machine.
verdicts() {
	jq -c '.results[] | [.case, .fault.mode, .fault.nth, .closing, .status, .reason, .errno,
		.injected, .stacks, .splat.title, .splat.fingerprint, (.checks | map([.name, .ok]))]' "$1"
}
for isolation in snapshot cold shared; do
	"${run[@]}" --isolation "$isolation" -s split.mprotect -s split.madv_dontneed -s control.nosplit \
		--format json >"$tmp/$isolation.json" 2>"$tmp/$isolation.log"
	equal "$isolation is what was done" "$(jq -r .machine.isolation "$tmp/$isolation.json")" $isolation
	verdicts "$tmp/$isolation.json" >"$tmp/$isolation.verdicts"
	check "$isolation: there are verdicts" test -s "$tmp/$isolation.verdicts"
	check "$isolation gives the verdicts of snapshot" \
		cmp -s "$tmp/snapshot.verdicts" "$tmp/$isolation.verdicts"
done
equal "one boot is enough" "$(jq .machine.boots "$tmp/snapshot.json")" 1
equal "a machine for every point, and one for the end of each sweep" \
	"$(jq .machine.restores "$tmp/snapshot.json")" "$(jq .machine.boots "$tmp/cold.json")"

for i in 1 2; do
	"${run[@]}" --replay --console -s split.mprotect -f mode=nth,nth=1 --format json \
		>"$tmp/replay$i.json" 2>"$tmp/replay$i.log"
	# all but our own summary, which has the host's time in it
	grep -a '^\[\|^---' "$tmp/replay$i.log" >"$tmp/replay$i.console"
	jq -S 'del(.machine.boot_us, .machine.result_us)' "$tmp/replay$i.json" >"$tmp/replay$i.doc"
done
check "the console of a replay has an injection" grep -q FAULT_INJECTION "$tmp/replay1.console"
check "the consoles of two replays are the same" cmp "$tmp/replay1.console" "$tmp/replay2.console"
check "so are their results, durations included" cmp "$tmp/replay1.doc" "$tmp/replay2.doc"

# debug STOP CASE FAULT: runs it under gdb; its words are in $tmp/STOP.gdb
debug() {
	start "$1" "${run[@]}" "--gdb=$1" -s "$2" -f "$3"
	wait_for 30 grep -q 'gdb -x' "$tmp/$1.log" || { not_ok "no gdb script for $1"; return; }
	# shellcheck disable=SC2046 # the command that is said is meant to be run as it is
	eval timeout 180 $(sed -n 's/^ *gdb -x/gdb -batch -x/p' "$tmp/$1.log") >"$tmp/$1.gdb" 2>&1
	wait_for 60 eval '! kill -0 ${running['"$1"']}' || not_ok "$1: the run goes on without gdb"
}
debug injection split.mprotect mode=nth,nth=1
check "gdb stops at the injection" grep -q 'hit Breakpoint' "$tmp/injection.gdb"
if [ -e "$folder/vmlinux" ]; then
	check "in the allocation" grep -q '<pte_alloc_one+' "$tmp/injection.gdb"
	check "of a split" grep -q '<__split_huge_pmd+' "$tmp/injection.gdb"
fi
# On a kernel that dies of it there is a report to stop at as well.
if grep -q '^\["split.mprotect","sweep",1,false,"FAIL"' "$tmp/snapshot.verdicts"; then
	debug splat split.mprotect mode=nth,nth=1
	check "gdb stops at the splat" grep -q 'hit Breakpoint' "$tmp/splat.gdb"
	[ ! -e "$folder/vmlinux" ] ||
		check "in the oops of the system call" grep -q '<__x64_sys_mprotect+' "$tmp/splat.gdb"
fi
equal "its script is removed" "$(find "$tmp/work" -name 'gdb-*' | wc -l)" 0

# Killed without a word, in the middle of restored machines.
start killed "${run[@]}" -n 200 -s split.mprotect -f mode=nth,nth=1
wait_for 60 pgrep -f -- "-incoming.*$tmp/work" || not_ok "no machine was restored"
stop killed KILL
check "no machine outlives its owner" wait_for 10 eval '! pgrep -f -- "-kernel $folder/bzImage.*$tmp/work"'
equal "nothing is left in the work folder" "$(ls "$tmp/work")" cache
finish
