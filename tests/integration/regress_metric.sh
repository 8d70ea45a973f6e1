#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Metrics that get worse, from the push that brings it to the push that mends it: the real server and
# agent, toy kernels that a stand-in for QEMU plays, whose values are noisy. A branch too long to be
# tested commit by commit is searched, a submitted series names its own culprit, and what is only
# noisy is nobody's.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

seed=${REGRESS_SEED:-$RANDOM}
echo "seed $seed (REGRESS_SEED)"
RANDOM=$seed

toy_init
# Two metrics that are near their values, one that is nowhere near, and one that is exact.
measures() { # KB-PER-THP FREED
	printf 'ready\nmetric memory.pgtables pgtables.per_thp kB %s 1.5\n' "$1"
	printf 'metric zeropage.remap rss.freed pages %s 0\n' "$2"
	printf 'metric ksm.zero_merge rate.zero.use_zero_0 MB/s 400 25\n'
	printf 'metric ksm.zero_merge cpu.zero.use_zero_0 ms 50 25\nserve 1'
}
works=$(measures 40 64)
start=$(commit "mm: all is well" "$works")
toy branch long && toy branch next-long

toy_config >"$tmp/server.conf"
cat >>"$tmp/server.conf" <<CONF
branch = long base=main plan=metrics

[report]
from = Toy CI <ci@example.org>

[submit]
plan = metrics
CONF
start_service --slots 2

# Of the regressions of a line of history those whose title has a word, newest first: a member.
of_title() { api "regressions?repo=toy&ref=$1" | jq -r --arg w "$2" \
	"[.items[] | select(.title | contains(\$w))][0].$3 // \"null\""; }
one() { api "regressions/$(of_title "$1" "$2" id)" | jq -r "$3"; }
ended() {
	local s
	s=$(of_title "$1" "$2" state)
	[[ $s != new && $s != confirmed && $s != null ]]
}
compared() { grep -q "submission-compared id=$1 " "$tmp/server.log"; }
push() { # what was committed on next-REF becomes REF at once
	local id sha
	toy branch -f "$1" "next-$1"
	sha=$(toy rev-parse "$1")
	poll
	wait_for 120 eval 'id=$(api "submissions?limit=20" | jq -er --arg s "$sha" \
		".items[] | select(.head_sha == \$s and .state == \"done\") | .id")' &&
		wait_for 60 compared "$id" || not_ok "$1 was not compared"
}

# --- a long branch: 20 commits, 12 % more page tables from one of them on ----------------------------
push long
equal "nothing is wrong" "$(of_title long '' id)" null
culprit=$((1 + RANDOM % 20)) worse=
toy checkout -q next-long
for ((i = 1; i <= 20; i++)); do
	script=$works
	[ "$i" -lt "$culprit" ] || script=$(measures 44.8 64)
	sha=$(commit "mm: step $i" "$script")
	[ "$i" != "$culprit" ] || worse=$sha
done
before=$(builds)
push long
title=pgtables.per_thp
check "a metric is suspected" test "$(of_title long $title id)" != null
check "and searched to its end" wait_for 300 ended long $title
equal "it is bisected" "$(of_title long $title state)" bisected
equal "to the commit that brought it ($culprit of 20)" "$(of_title long $title culprit)" "$worse"
check "its title has both values" grep -qE '^memory.pgtables: pgtables.per_thp (39|4[01])[0-9.]* → 4[3456][0-9.]* kB \(\+[0-9.]+ %\)$' \
	<<<"$(of_title long $title title)"
equal "its reason" "$(of_title long $title reason)" metric
equal "at most two kernels, log2 of the commits and a neighbour" \
	"$(($(builds) - before <= 1 + 5 + 1))" 1
equal "every state with its evidence" "$(one long $title '[.changes[].state] | join(" ")')" \
	"new confirmed bisected"
equal "by fresh values of both sides" "$(one long $title '.changes[1].evidence |
	"\(.bad.n >= 10) \(.good.n >= 10) \(.p <= 0.001) \(.effect > 0.08 and .effect < 0.16)"')" \
	"true true true true"
equal "one value a test" "$(one long $title '[.probes[].values | length] | unique | join(" ")')" 1
equal "the last values on both sides of the threshold" "$(one long $title '.metric |
	"\(.worse) \(.accel) \(.threshold > 41 and .threshold < 44)"')" "more tcg true"
echo "$(($(builds) - before)) kernels of 20 commits, $(one long $title '.probes | length') tests"

# --- how it is told -----------------------------------------------------------------------------------
page() { curl -sS --noproxy '*' --max-time 30 -f -H 'Accept: text/html' "$url/$1" >"$tmp/page"; }
shows() { grep -qE -- "$1" "$tmp/page"; }
report=$("$bin/faultline" report "$(of_title long $title id)")
good=$(toy rev-parse "$worse^")
for line in "commit: $worse (\"mm: step $culprit\")" "last good commit: $good (\"mm: step $((culprit - 1))\")" \
	"testcase: memory.pgtables" "#regzbot introduced: $good..$worse"; do
	[ "$culprit" != 1 ] || line=${line/mm: step 0/mm: all is well}
	check "the report says: $line" grep -qxF -- "$line" <<<"$report"
done
check "with the values of both sides" grep -qE \
	'^ +(39|4[01])[0-9.]* ±[0-9.]+% +\+(9|1[0-5])\.[0-9]% +4[3456][0-9.]* ±[0-9.]+%  pgtables.per_thp, kB$' <<<"$report"
check "and of the rank test" grep -qE '^Rank test: p = [0-9.e-]+, shift \+[3-6]' <<<"$report"
check "without counts of failures" eval '! grep -q "fail:runs\|Fisher" <<<"$report"'
check "its page" page "regressions/$(of_title long $title id)"
check "has the metric" shows 'pgtables.per_thp in kB, worse when more; measured under tcg, on the bad side beyond 4[123]'
check "the values of a side" shows '<td>4[3456][0-9.]* ±[0-9.]+ % of [0-9]+</td>'
check "all values of a commit in one row" shows '^<td class="num">([34][0-9.]* ){9}[0-9.]+</td>$'
check "the effect" shows '<td class="num">(9|1[0-5])(\.[0-9])? %</td>'
check "the steps of the search" shows 'beyond the threshold: bad'
page "regressions"
check "the list has it" shows 'memory.pgtables: pgtables.per_thp'

# --- mended, and mended by half ----------------------------------------------------------------------
commit "mm: half of it" "$(measures 43.6 64)" >/dev/null
push long
equal "half of it is no fix" "$(of_title long $title state)" bisected
fix=$(commit "mm: mend it" "$works")
push long
check "the fix is noticed" wait_for 60 eval '[ "$(of_title long $title state)" = fixed ]'
equal "and its commit" "$(of_title long $title fixed)" "$fix"
check "with its values" test "$(one long $title '.changes[-1].evidence |
	.good.median < 42 and .good.n >= 10 and .p <= 0.001')" = true

check "the report tells of it" grep -qE 'The median of [0-9]+ values is (39|40)[0-9.]* there, and was 4[3456][0-9.]* of [0-9]+\.' \
	<(api "regressions/$(of_title long $title id).mbox")

# --- a submitted series: the values that it has are enough ------------------------------------------
toy checkout -q -b series main
commit "mm: first" "$works" >/dev/null
bad=$(commit "mm: second" "$(measures 40 0)")
commit "mm: third" "$(measures 40 0)" >/dev/null
commit "mm: fourth" "$(measures 40 0)" >/dev/null
"$bin/faultline" submit --git toy --ref series --base main --wait >"$tmp/series.out" 2>&1
after=$(builds)
check "the series' regression is searched" wait_for 120 ended series rss.freed
equal "its culprit" "$(of_title series rss.freed culprit)" "$bad"
equal "its title" "$(of_title series rss.freed title)" "zeropage.remap: rss.freed 64 → 0 pages (-100 %)"
check "its report has the parent" grep -qx "#regzbot introduced: $(toy rev-parse "$bad^")..$bad" \
	<("$bin/faultline" report "$(of_title series rss.freed id)")
equal "no kernel more than the series has" "$(builds)" "$after"
check "few tests between its ends" test "$(one series rss.freed '[.probes[] |
	select(.purpose == "search")] | length')" -le 10

# --- what is noisy and did not change ---------------------------------------------------------------
equal "nobody hears of noise" "$(api regressions | jq '[.items[] |
	select((.title | contains("zero_merge")) and (.state | IN("confirmed", "bisected", "fixed")))] | length')" 0
equal "and the series moved in nothing else" "$(api 'regressions?ref=series' | jq '[.items[] |
	select((.title | contains("zero_merge")) | not)] | length')" 1
check "the noise was measured" test "$(api "compare?a=$start&b=$fix" | jq '[.metrics[] |
	select(.name | contains("zero.use_zero")) | .a.n] | min')" -ge 5
finish
