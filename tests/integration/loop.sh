#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The whole loop on loopback: the real server, the real agent, real git, a toy kernel that builds in
# a second, and a stand-in for QEMU that plays the script which the toy kernel "built". Then the
# same with parts killed in the middle.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

work=$tmp/agent

toy_init
good=$(commit "good" $'ready\nserve 1')

cat >"$tmp/server.conf" <<CONF
[server]
data = $tmp/data
# Nobody reads without a token, git of the agents included.
public_read = no
lease_seconds = 3
poll_seconds = 0

[repo toy]
url = $tmp/toy/.git
local = yes
base = main

[submit]
plan = quick
CONF
token agent agent
token dev maintainer
start_server || exit 1
export FAULTLINE_TOKEN_FILE=$tmp/dev.token
submit() { "$bin/faultline" submit --git toy --ref "$1" ${2:+--base "$2"} 2>>"$tmp/submit.log"; }
parent() { toy rev-parse "$1^"; }
cells() { # "sha status/reason" of the scenario's cell in every row of a submission
	api "submissions/$1" | jq -r --arg s "$2" '.matrix as $m | ($m.cases | index($s)) as $i |
		$m.rows[] | .sha + " " + (if $i == null or .cells[$i] == null
		then "-" else .cells[$i].status + "/" + (.cells[$i].reason // "") end)'
}
cell() { cells "$1" "$2" | sed -n "s/^$3 //p"; }
state() { api "submissions/$1" | jq -r .state; }
is_state() { [ "$(state "$1")" = "$2" ]; }

# --- verdicts --------------------------------------------------------------------------------------
start_agent
# with a vmlinux whose functions are as large as the traces say, an instruction of one byte a line
mkdir "$tmp/toy/mm"
{
	printf '.globl _start\n_start:\n\tnop\n__split_huge_pmd_locked:\n'
	for ((i = 0; i < 0x40; i++)); do printf '\tnop\n'; done
	printf '__split_huge_pmd:\n'
	for ((i = 0; i < 0x20; i++)); do printf '\tnop\n'; done
	printf 'end:\n\tnop\n'
} >"$tmp/toy/mm/toy.S"
line_of() { sed -n "/^$1:/=" "$tmp/toy/mm/toy.S"; }
# where the registers point, and the call before the address that it returns to
want="mm/toy.S:$(($(line_of __split_huge_pmd_locked) + 1 + 0x1a)) mm/toy.S:$(($(line_of __split_huge_pmd) + 0x10))"
crash=$(commit "crash" $'ready\ndie split.mprotect 1 __split_huge_pmd_locked\nserve 1')
rm "$tmp/toy/mm/toy.S"
broken=$(commit "does not compile" $'ready\nserve 1' \
	'echo "mm/huge_memory.c:12:3: error: unknown type name nope" >&2; exit 2')
noboot=$(commit "does not boot" $'panic start_kernel')
silent=$(commit "answers nothing on the console" $'hang')
pre=$(commit "deposits" $'ready\nskip\nserve 1')
id=$(submit "$pre" "$good")
"$bin/faultline" watch "$id" >"$tmp/watch.out" 2>&1
equal "watch: a kernel failed" $? 1
equal "good: PASS" "$(cell "$id" split.mprotect "$good")" "PASS/"
equal "crash: FAIL with the BUG" "$(cell "$id" split.mprotect "$crash")" "FAIL/bug"
equal "crash: the cases after it ran in a new machine" \
	"$(cell "$id" split.munmap "$crash")" "PASS/"
equal "does not boot: FAIL with its splat" \
	"$(cell "$id" split.munmap "$noboot" | cut -d/ -f1)" "FAIL"
equal "silent: MISS, never FAIL" "$(cell "$id" split.mprotect "$silent" | cut -d/ -f1)" "MISS"
equal "predeposit: SKIP" "$(cell "$id" split.mprotect "$pre")" "SKIP/predeposit"
build=$(api "submissions/$id" | jq -r --arg c "$broken" \
	'.matrix.rows[] | select(.sha == $c) | .build | .status + " " + (.id | tostring)')
equal "does not compile: the build FAILs" "${build% *}" "FAIL"
check "and names file and line" grep -q 'mm/huge_memory.c:12: unknown type name' \
	<(api "builds/${build#* }")
result=$(api "results?submission=$id&status=FAIL&scenario=split.mprotect&commit=$crash&limit=1" | jq -r '.items[0].id')
decoded() { jq -r '[.splat.stack[] | select(.file != "") | .file + ":" + (.line | tostring)] | join(" ")'; }
equal "the trace has the lines of the build" "$(api "results/$result" | decoded)" "$want"
build=$(api "results/$result" | jq .build)
check "which are an artifact of it" grep -q vmlinux.debug <(api "builds/$build")
result=$(api "results?submission=$id&status=FAIL&commit=$noboot&limit=1" | jq -r '.items[0].id')
equal "a build without them: the same verdict, and it says why" \
	"$(api "results/$result" | jq -r '.status + ": " + .undecoded')" "FAIL: the build has no vmlinux.debug"
check "repro names kernel, scenario and fault" grep -q -- \
	"run --kernel bzImage.*--scenario .*split.mprotect.*--fault" <("$bin/faultline" repro "$result")
check "ktap output has a plan" grep -q '^1\.\.[1-9]' <("$bin/faultline" results "$id" --format ktap)
# what is new in the range is repeated and searched for by then
settled() {
	api "regressions?ref=$pre" | jq -e '(.items | length) > 0 and
		all(.items[]; .state != "new" and .state != "confirmed")'
}
check "its regressions are followed to their ends" wait_for 120 settled
runs_before=$(api stats | jq -c .jobs)
again=$(submit "$pre" "$good")
"$bin/faultline" watch "$again" >/dev/null 2>&1
equal "the same range again builds and tests nothing" "$(api stats | jq -c .jobs)" "$runs_before"

# --- the tree's own tests: built with the kernel, run from what the build left ------------------------
mkdir -p "$tmp/toy/tools/testing/selftests/mm"
cat >"$tmp/toy/tools/testing/selftests/mm/Makefile" <<'MAKE'
TEST_GEN_FILES := $(OUTPUT)/cow $(OUTPUT)/madv_populate
all: $(TEST_GEN_FILES)
$(OUTPUT)/cow:
	@echo toy >$@ && chmod +x $@
$(OUTPUT)/madv_populate:
	@echo "madv_populate.c:3:1: error: not in C"; exit 1
MAKE
printf 'headers:\n\t@true\n' >>"$tmp/toy/Makefile"
tests=$(commit "has tests" $'ready\nserve 1')
id=$("$bin/faultline" submit --git toy --ref "$tests" --base "$(parent "$tests")" \
	--plan mm-selftests 2>>"$tmp/submit.log")
"$bin/faultline" watch "$id" >/dev/null 2>&1
equal "a program that the tree has is run" "$(cell "$id" selftests.cow "$tests")" "PASS/"
equal "one that does not compile is skipped" \
	"$(cell "$id" selftests.madv_populate "$tests")" "SKIP/kconfig"
equal "a tree without tests: the kernel is built, the tests are skipped" \
	"$(cell "$id" selftests.cow "$(parent "$tests")")" "SKIP/kconfig"
build=$(api "submissions/$id" | jq -r --arg c "$tests" '.matrix.rows[] | select(.sha == $c) | .build.id')
equal "the programs are artifacts of the build" "$(api "builds/$build" |
	jq -r '[.artifacts[].name | select(startswith("selftests."))] | join(" ")')" "selftests.cow"
equal "nothing of them is left in the agent's folder" "$(find "$work" -name 'programs-*')" ""

# --- SIGTERM drains -----------------------------------------------------------------------------------
stop agent TERM
equal "the agent drains and ends well" $? 0

# --- kill -9 of the agent in mid-build --------------------------------------------------------------
slow=$(commit "builds slowly" $'ready\nserve 1' 'sleep 4')
id=$(submit "$slow" "$(parent "$slow")")
start_agent
building() { api agents | jq -e '[.items[].runs[]? | select(.progress.phase == "build")] | length > 0'; }
check "the build is under way" wait_for 60 building
stop agent KILL
check "nothing of the killed agent is left running" wait_for 15 no_strays
start_agent
check "another attempt finishes the build" wait_for 90 is_state "$id" "done"
equal "and its test" "$(cell "$id" split.mprotect "$slow")" "PASS/"

# --- kill -9 of the agent in mid-boot -----------------------------------------------------------------
boot=$(commit "boots at the second try" $'once booted hang\nready\nserve 1')
id=$(submit "$boot" "$(parent "$boot")")
booting() { [ -n "$(find "$work" -name '*booted*')" ] && pgrep -f -- "$FAULTLINE_QEMU"; }
check "a machine is booting" wait_for 60 booting
stop agent KILL
no_qemu() { ! pgrep -f -- "$FAULTLINE_QEMU"; }
check "no orphan machine" wait_for 15 no_qemu
check "nothing else of the agent either" wait_for 15 no_strays
start_agent
check "another attempt finishes the test" wait_for 90 is_state "$id" "done"
equal "with its verdict" "$(cell "$id" split.munmap "$boot")" "PASS/"

# --- kill -9 of the server in mid-upload ----------------------------------------------------------------
chatty=$(commit "talks while it builds" $'ready\nserve 1' \
	'i=0; while [ $i -lt 40000 ]; do i=$((i + 1)); echo "line $i of the build log"
	[ $i = 30000 ] && sleep 3; done; sleep 2')
id=$(submit "$chatty" "$(parent "$chatty")")
run_of() { api "submissions/$id" | jq -r '[.matrix.rows[].build.run? // empty][0] // empty'; }
uploading() { find "$tmp/data/logs" -name '*.log' -newer "$tmp/mark" -size +64k | grep -q .; }
touch "$tmp/mark"
check "the log is being uploaded" wait_for 60 uploading
stop server KILL
start_server "127.0.0.1:$port"
check "the job is finished after the restart" wait_for 90 is_state "$id" "done"
run=$(api "builds/$(api "submissions/$id" | jq -r '.matrix.rows[0].build.id')" | jq -r '.runs[-1].id // .runs[0].id')
"$bin/faultline" log "$run" | sed -n 's/^line \([0-9]*\) of the build log$/\1/p' >"$tmp/lines"
seq 40000 >"$tmp/wanted"
check "no byte of the log is missing, none is there twice" cmp -s "$tmp/lines" "$tmp/wanted"
equal "and the test ran" "$(cell "$id" split.mprotect "$chatty")" "PASS/"

# --- bad input ---------------------------------------------------------------------------------------------
id=$(submit no-such-branch)
check "an unknown ref is refused" wait_for 30 is_state "$id" refused
check "with a message that names it" grep -q no-such-branch <(api "submissions/$id" | jq -r .message)
"$bin/faultline" submit --git toy --ref main --plan nonsense >/dev/null 2>"$tmp/plan.err"
check "an unknown plan is named, with the known ones" grep -q 'nonsense.*quick' "$tmp/plan.err"
"$bin/faultline" submit --git "file://$tmp/toy" --ref main >/dev/null 2>"$tmp/url.err"
check "a local path that nobody configured is refused" grep -q '422' "$tmp/url.err"

stop agent TERM
stop server TERM
equal "the server drains and ends well" $? 0
finish
