#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Regressions, from the push that brings them to the push that mends them: the real server and agent,
# a real repository, toy kernels that a stand-in for QEMU plays. A long branch is searched, one whose
# defect shows in four of ten runs too, a submitted series names its own culprit, and what is
# infrastructure's or chance's is nobody's.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

seed=${REGRESS_SEED:-$RANDOM}
echo "seed $seed (REGRESS_SEED)"
RANDOM=$seed

toy_init
works=$'ready\nserve 1'
dies() { printf 'ready\n%sdie %s 1 %s\nserve 1' "${3:+chance $3$'\n'}" "$1" "$2"; }
start=$(commit "mm: all is well" "$works")
for branch in long flaky chance; do toy branch $branch && toy branch next-$branch; done

start_mail
toy_config >"$tmp/server.conf"
cat >>"$tmp/server.conf" <<CONF
branch = long base=main plan=quick mail=list@example.org,author
branch = flaky base=main plan=quick
branch = chance base=main plan=quick mail=list@example.org

[report]
from = Toy CI <ci@example.org>

[mail]
smtp = $smtp

[submit]
plan = quick
CONF
start_service --slots 2

one() { api "regressions/$(of "$1" id)" | jq -r "$2"; }
ended() { # REF: nothing of it is under way any more
	local s
	s=$(of "$1" state)
	[[ $s != new && $s != confirmed ]]
}
tested() { tip_is "$1" "$2" && done_with "$2"; }
done_with() { api "submissions?limit=20" | jq -e --arg s "$1" \
	'any(.items[]; .head_sha == $s and .state == "done")'; }
# What was committed on next-REF becomes REF at once, whenever the server looks.
push() {
	toy branch -f "$1" "next-$1"
	poll
	wait_for 120 tested "$1" "$(toy rev-parse "$1")" || not_ok "$1 was not tested"
}

# --- a long branch: 64 commits, one of them brings it, two do not build, one does not boot ------------
push long
equal "nothing is wrong" "$(of long id)" null
culprit=$((1 + RANDOM % 64)) crash=
declare -A odd=()
while [ ${#odd[@]} -lt 3 ]; do
	n=$((1 + RANDOM % 63))
	# what is next to the culprit would leave an interval
	[ $((n - culprit)) -ge -1 ] && [ $((n - culprit)) -le 1 ] || odd[$n]=1
done
order=("${!odd[@]}")
toy checkout -q next-long
for ((i = 1; i <= 64; i++)); do
	script=$works build=true
	[ "$i" -lt "$culprit" ] || script=$(dies split.mprotect crash_here)
	[ "$i" != "${order[2]}" ] || script=$'panic start_kernel'
	case $i in "${order[0]}" | "${order[1]}") build='echo "mm/x.c:1:1: error: no" >&2; exit 2' ;; esac
	sha=$(commit "mm: step $i" "$script" "$build")
	[ "$i" != "$culprit" ] || crash=$sha
done
before=$(builds)
push long
check "a regression is declared" wait_for 30 eval '[ "$(of long id)" != null ]'
check "and searched to its end" wait_for 300 ended long
equal "it is bisected" "$(of long state)" bisected
equal "to the commit that brought it ($culprit of 64, odd ${order[*]})" "$(of long culprit)" "$crash"
equal "its title" "$(of long title)" "kernel BUG in crash_here"
equal "two and log2(64) kernels and the skips, none built twice" \
	"$(($(builds) - before <= 1 + 6 + 3))" 1
echo "$(($(builds) - before)) kernels of 64 commits, $(one long '.probes | length') tests"
equal "every state with its evidence" "$(one long '[.changes[].state] | join(" ")')" \
	"new confirmed bisected"
equal "it fails here and not there" "$(one long '.changes[1].evidence |
	"\(.bad.fails == .bad.runs) \(.good.fails) \(.p < 0.01) \(.bad.control_fails)"')" "true 0 true 0"
check "the log of the search is kept" test "$(one long '.search.steps | length')" -ge 5
equal "of all commits between, in order, one is left" "$(one long '([.search.commits[] | .[0:40]] | reverse)
	as $between | "\(([.trail[].commit] | .[1:]) == $between) \([.trail[] | select(.left) | .commit] | join(" "))"')" \
	"true $crash"
report=$("$bin/faultline" report "$(of long id)")
for line in "commit: $crash (\"mm: step $culprit\")" "  kernel BUG in crash_here" "testcase: split.mprotect" \
	"| Reported-by: Toy CI <ci@example.org>" "#regzbot introduced: $(toy rev-parse "$crash^")..$crash"; do
	check "the report says: $line" grep -qxF -- "$line" <<<"$report"
done
check "and how often it failed on both sides" grep -qE ' 0:[0-9]+ +100% +([0-9]+):\1 +kernel BUG' <<<"$report"
equal "the API gives the same text" "$(api "regressions/$(of long id).txt")" "$report"
"$bin/faultline" report --mbox "$(of long id)" >"$tmp/report.mbox"
equal "as a mail it goes to the author" "$(python3 "$root/tests/exchange/read_mail.py" "$tmp/report.mbox" |
	jq -r '"\(.to[0][1]) \(.subject)"')" "toy@localhost [toy:long] [$(of long config)]  ${crash:0:10}: kernel BUG in crash_here"

mails() { find "$tmp/mail" -name '*.eml' | wc -l; }
header() { sed -n "/^\$/q; s/^$2: //p" "$tmp/mail/$1.eml" | head -n 1; }
check "it is reported by mail" wait_for 60 test -e "$tmp/mail/1.eml"
equal "to the list and the author" "$(grep -ci '^RCPT TO:<\(list@example.org\|toy@localhost\)>' \
	"$tmp/mail/1.envelope")" 2
check "with the title as its subject" grep -q 'crash_here' <(header 1 Subject)
check "and the commit in its text" grep -q "${crash:0:12}" "$tmp/mail/1.eml"

badge() { # REPO/BRANCH ARGUMENTS…: its status; the picture in $tmp/badge.svg
	curl -sS --noproxy '*' --max-time 30 -D "$tmp/badge.head" -o "$tmp/badge.svg" -w '%{http_code}' \
		"$url/badge/$1.svg" "${@:2}"
}
# What it says: the last text of it, if it is XML at all.
says() { xmllint --nonet --xpath 'string(//*[local-name()="text"][last()])' "$1" 2>"$tmp/why"; }
title() { xmllint --nonet --xpath 'string(/*/*[local-name()="title"])' "$1"; }
equal "the badge" "$(badge toy/long; says "$tmp/badge.svg"; title "$tmp/badge.svg")" \
	$'2001 regression\nfaultline: toy long: 1 regression'
check "is SVG" grep -qi '^content-type: image/svg+xml' "$tmp/badge.head"
check "that proxies ask for again" grep -qix $'cache-control: no-cache\r' "$tmp/badge.head"
check "and other sites may show" grep -qix $'cross-origin-resource-policy: cross-origin\r' "$tmp/badge.head"
equal "which it says once" "$(grep -ci '^cross-origin-resource-policy' "$tmp/badge.head")" 1
etag=$(sed -n 's/^[Ee][Tt]ag: //p' "$tmp/badge.head" | tr -d '\r')
equal "what did not change is not sent again" "$(badge toy/long -H "If-None-Match: $etag")" 304

# --- mended by a later push ---------------------------------------------------------------------------
fix=$(commit "mm: mend it" "$works")
push long
check "the fix is noticed" wait_for 60 eval '[ "$(of long state)" = fixed ]'
equal "and its commit" "$(of long fixed)" "$fix"
check "the fix is told as well" wait_for 60 test -e "$tmp/mail/2.eml"
equal "as a follow-up" "$(header 2 In-Reply-To)" "$(header 1 Message-ID)"
equal "the badge is another one" "$(badge toy/long -H "If-None-Match: $etag"; says "$tmp/badge.svg")" \
	"200no regressions"
equal "of a branch that only passed" "$(badge toy/flaky; says "$tmp/badge.svg")" "200no regressions"
equal "of one that nobody follows" "$(badge 'toy/a%3C%2Ftitle%3E%22%27%26%E2%80%AE.svg'; says "$tmp/badge.svg")" \
	200unknown
equal "of another kind" "$(curl -sS --noproxy '*' -o /dev/null -w '%{http_code}' "$url/badge/toy/long.png")" 404
equal "nothing is open" "$(api 'regressions?state=open' | jq '.items | length')" 0
api "regressions/$(of long id).mbox" >"$tmp/report.mbox"
equal "the fix is a second mail that follows the first" \
	"$(python3 "$root/tests/exchange/read_mail.py" "$tmp/report.mbox" |
	jq -sr --arg c "fixed in: $fix" '"\(length) \(.[1].parent == .[0].id) \(.[1].body | contains($c))"')" \
	"2 true true"
equal "a regression that is none has no mail" "$(api regressions/999.mbox | jq -r .status)" 404

# --- it shows in four of ten runs: the right commit, or nobody ---------------------------------------
push flaky
toy checkout -q next-flaky
culprit=$((1 + RANDOM % 20)) crash=
for ((i = 1; i <= 20; i++)); do
	script=$works
	[ "$i" -lt "$culprit" ] || script=$(dies split.munmap rare_here 40)
	sha=$(commit "mm: part $i" "$script")
	[ "$i" != "$culprit" ] || crash=$sha
done
# the plan runs each case once: the tip is pushed until one of its runs shows it
for ((i = 0; i < 8; i++)); do
	push flaky
	! wait_for 3 eval '[ "$(of flaky id)" != null ]' || break
	commit "mm: more $i" "$(dies split.munmap rare_here 40)" >/dev/null
done
if [ "$(of flaky id)" != null ]; then
	check "a flaky one is searched to its end" wait_for 300 ended flaky
	good=$(of flaky good)
	# where an unlucky tip passed, the search begins behind it
	if [ "$good" = "$start" ]; then
		case $(of flaky culprit) in
		"$crash" | null) ok "the right commit or none" ;;
		*) not_ok "accused $(of flaky culprit), not $crash" ;;
		esac
	else
		equal "where both ends fail nobody is accused" "$(of flaky culprit)" null
	fi
	echo "flaky: $(of flaky state), $(one flaky '[.probes[].runs] | add') runs"
else
	not_ok "eight tips did not fail once at 40 %"
fi

# --- a submitted series: every commit is tested anyway -----------------------------------------------
toy checkout -q -b series main
commit "mm: first" "$works" >/dev/null
bad=$(commit "mm: second" "$(dies split.mprotect series_here)")
commit "mm: third" "$(dies split.mprotect series_here)" >/dev/null
broken=$(commit "mm: does not build" "$works" 'echo "mm/y.c:1:1: error: oh" >&2; exit 2')
before=$(builds)
"$bin/faultline" submit --git toy --ref series --base main --wait >"$tmp/series.out" 2>&1
after=$(builds)
check "the series' regressions end" wait_for 120 eval '[ "$(api "regressions?ref=series&state=bisected" |
	jq ".items | length")" = 2 ]'
equal "its culprits" "$(api "regressions?ref=series" | jq -r '[.items[].culprit] | sort | join(" ")')" \
	"$(printf '%s\n' "$bad" "$broken" | sort | paste -sd ' ')"
equal "no kernel more than the series has" "$(builds)" "$after"

# --- beside a commit that is known not to build: it is not built again, and both are suspects ---------
toy checkout -q -b beside main
gap=$(commit "mm: does not build either" "$works" 'echo "mm/z.c:1:1: error: oh" >&2; exit 2')
above=$(commit "mm: on top of it" "$(dies split.mprotect beside_here)")
"$bin/faultline" submit --git toy --ref beside --base main --wait >"$tmp/beside.out" 2>&1
check "the search goes on by itself" wait_for 60 eval '[ "$(api "regressions?ref=beside&state=bisected" |
	jq ".items | length")" = 2 ]'
beside=$(api "regressions?ref=beside" | jq '.items[] | select(.title | contains("beside_here")) | .id')
equal "nobody is accused" "$(api "regressions/$beside" | jq -r .culprit)" null
equal "but one of the two" "$(api "regressions/$beside" | jq -r '.changes[-1].evidence.suspects | join(" ")')" \
	"$gap $above"

# --- a kernel that does not boot any more ------------------------------------------------------------
toy checkout -q -b noboot main
noboot=$(commit "mm: does not boot" $'panic start_kernel')
"$bin/faultline" submit --git toy --ref noboot --base main --wait >"$tmp/noboot.out" 2>&1
check "what does not boot is searched to its end" wait_for 120 eval '[ "$(of noboot state)" = bisected ]'
equal "to its commit" "$(of noboot culprit)" "$noboot"

# --- what happens once is nobody's -------------------------------------------------------------------
toy checkout -q next-chance
push chance
commit "mm: once" $'ready\nonce never die split.mprotect 1 once_here\nserve 1' >/dev/null
push chance
if [ "$(of chance id)" != null ]; then
	check "what does not happen again is flaky" wait_for 120 eval '[ "$(of chance state)" = flaky ]'
fi

# --- infrastructure is not a regression --------------------------------------------------------------
toy checkout -q -b infra main
commit "mm: the host kills it" $'ready\nkillin split.mprotect\nserve 1' >/dev/null
"$bin/faultline" submit --git toy --ref infra --base main --wait >"$tmp/infra.out" 2>&1
check "it was looked at for regressions" wait_for 20 eval 'grep -q "submission-compared id=$(api \
	"submissions?limit=1" | jq -r ".items[0].id") " "$tmp/server.log"'
equal "one mail at its start and one at its end, none of what is flaky or lost" "$(mails)" 2
equal "what infrastructure lost is no regression" "$(of infra id)" null

# --- a report of each kind, as text and as mail --------------------------------------------------------
read_mail() { python3 "$root/tests/exchange/read_mail.py" "$1"; }
mkdir "$tmp/reports"
for id in $(api 'regressions?limit=500' | jq '.items[].id'); do
	for kind in txt mbox; do api "regressions/$id.$kind" >"$tmp/reports/$id.$kind"; done
	check "report $id is a mailbox" eval 'read_mail "$tmp/reports/$id.mbox" >"$tmp/reports/$id.json"'
	equal "report $id: nothing is wrong with its mails" "$(jq -s 'map(.defects) | add' "$tmp/reports/$id.json")" "[]"
	equal "report $id: its mails say what the text says" "$(jq -rs 'map(.body) | join("\n")' "$tmp/reports/$id.json")" \
		"$(cat "$tmp/reports/$id.txt")"
	check "report $id: git mailinfo takes it" eval \
		'git mailinfo "$tmp/msg" "$tmp/patch" <"$tmp/reports/$id.mbox" | grep -q "^Subject: ."'
done
reports() { # REF TEXT: the report of its newest regression has this line
	grep -qxF -- "$2" "$tmp/reports/$(of "$1" id).txt"
}
mails_of() { jq -rs "$2" "$tmp/reports/$(of "$1" id).json"; }
check "a sweep: its parameters" eval 'grep -q "^parameters: .*mode=sweep" "$tmp/reports/$(of long id).txt"'
check "a sweep: what was injected, and what happens without" eval \
	'grep -q "^Faults were injected; without them 0:" "$tmp/reports/$(of long id).txt"'
check "a build: its errors" reports series ">> mm/y.c:1: oh"
check "a build: how to repeat it" reports series "  faultline run --plan quick --config default ."
check "a build: nothing was run" eval '! grep -q fail:runs "$tmp/reports/$(of series id).txt"'
check "an interval: nobody is named" grep -qxF \
	"It began with one of these 2 commits; those between could not be tested," "$tmp/reports/$beside.txt"
equal "an interval: nobody is written to" "$(jq -s 'map(.to) | add' "$tmp/reports/$beside.json")" "[]"
check "no boot: the whole of it" eval '[ "$(one noboot ".cases | length")" = 3 ]'
check "no boot: every case is there" reports noboot "It began to show in 3 cases at once:"
check "no boot: that it does not" reports noboot "  the kernel does not boot: kernel BUG in start_kernel"
check "no boot: the fault is not what it needs" eval \
	'grep -q "^It fails without a fault as well: \([0-9]*\):\1 here and 0:" "$tmp/reports/$(of noboot id).txt"'
equal "fixed: two mails, the text has both" "$(mails_of long length)" 2
equal "what was sent is what the mailbox has, but for who gets it" \
	"$(for n in 1 2; do { echo "From sink Sat Nov 21 00:00:00 2026"; cat "$tmp/mail/$n.eml"; echo; } >"$tmp/sent.mbox"
	read_mail "$tmp/sent.mbox"; done | jq -cs 'map(del(.to))')" "$(mails_of long 'map(del(.to))' | jq -c .)"
date=$(TZ=UTC date -d "$(one long '.changes | map(select(.state == "bisected"))[0].at')" +%Y-%m-%dT%H:%M:%S+00:00)
equal "its date is that of the state" "$(mails_of long '.[0].date')" "$date"
wait_for 5 eval '[ "$(date +%s)" -gt "$(stat -c %Y "$tmp/reports/1.mbox")" ]'
equal "a second later it is the same, byte for byte" "$(api "regressions/1.mbox" | cmp - "$tmp/reports/1.mbox" 2>&1)" ""
if [ "$(of chance state)" = flaky ]; then
	check "flaky: not confirmed" reports chance "This is not confirmed (state: flaky)."
	check "flaky: no tags" eval '! grep -q "^#regzbot\|^| " "$tmp/reports/$(of chance id).txt"'
fi
[ -z "${REGRESS_KEEP:-}" ] || cp -r "$tmp/reports" "$REGRESS_KEEP"

# --- the command line -------------------------------------------------------------------------------
list() { "$bin/faultline" regressions "$@" >"$tmp/list" 2>"$tmp/list.err"; echo $?; }
equal "one is open: exit status" "$(list --state open)" 1
equal "a line for each that is open" "$(sed 1d "$tmp/list" | wc -l)" \
	"$(api "regressions?state=open" | jq '.items | length')"
check "with the commit that brought it" grep -q "bisected  *${bad:0:12}  kernel BUG in series_here" "$tmp/list"
equal "none of this branch is open: exit status" "$(list --repo toy --ref long)" 0
check "the one that ended is listed" grep -q "fixed  *.* kernel BUG in crash_here" "$tmp/list"
equal "a branch that nobody knows" "$(list --ref 'a&state=open'; wc -l <"$tmp/list")" $'0\n1'
equal "as csv" "$(list --ref series --format csv; head -n 1 "$tmp/list" | cut -d, -f1-3)" $'1\nid,repo,ref'
equal "as json" "$(list --ref series --format json; jq -c '[.[].culprit] | sort' "$tmp/list")" \
	"$(printf '1\n%s' "$(api 'regressions?ref=series' | jq -c '[.items[].culprit] | sort')")"
equal "a state that is none" "$(list --state '<b>')" 2
equal "no server" "$(list --server http://127.0.0.1:1)" 2

# --- the pages show what there was -------------------------------------------------------------------
page() { curl -sS --noproxy '*' --max-time 30 -f -H 'Accept: text/html' "$url/$1" >"$tmp/page"; }
shows() { grep -qF -- "$1" "$tmp/page"; }
for id in $(api regressions | jq '.items[].id'); do
	check "regression $id has a page" page "regressions/$id"
done
page "regressions/$(of long id)"
check "its life ends fixed" shows ">fixed</span>"
check "the runs of both sides" shows "8:8, without a fault 0:8"
check "where it is mended" shows "/commits/$fix"
check "the steps of the search" shows "runs failed: bad"
check "the way of the search" shows "<strong>first bad:</strong> mm: step "
check "the report" shows "testcase: split.mprotect"
check "how it is repeated" shows '<pre class="command">faultline run '
page "regressions?state=bisected"
check "the filter takes its state" shows ">bisected</span>"
check "and no other" eval '! shows ">fixed</span>"'
page "regressions?submission=$(of series submission)"
check "those of a submission" shows "series_here"
check "not those of others" eval '! shows crash_here'
page "submissions/$(of series submission)"
check "a submission shows its regressions" shows "/regressions/$(of series id)"
page ""
check "the overview has the open ones" shows "series_here"
check "not the ended ones" eval '! shows crash_here'

for address in "?" "regressions?" "regressions/$(of long id)?" "submissions/$(of series submission)?" \
	"branches/toy/long?" "branches?" "agents?"; do
	curl -sS --noproxy '*' --max-time 30 "$url/${address}format=json" >"$tmp/page"
	equal "/$address as JSON: what is for templates alone is not in it" \
		"$(jq -c '[.. | objects | keys[] | select(. == "look" or startswith("any_") or startswith("has_")
			or . == "page" or endswith("_text") or . == "badge_markdown")] | unique' "$tmp/page")" "[]"
done

# --- numbers -----------------------------------------------------------------------------------------
curl -sS --noproxy '*' --max-time 30 "$url/metrics" >"$tmp/metrics"
for state in new confirmed bisected fixed flaky infrastructure stale; do
	equal "metrics: $state" "$(sed -n "s/^faultline_regressions{state=\"$state\"} //p" "$tmp/metrics")" \
		"$(api "regressions?state=$state" | jq '.items | length')"
done
equal "metrics: no test is under way" "$(sed -n 's/^faultline_probes_under_way //p' "$tmp/metrics")" 0
equal "metrics: both mails were sent" \
	"$(sed -n 's/^faultline_outbox_messages{state="sent"} //p' "$tmp/metrics")" 2
equal "metrics: the agent is there" "$(sed -n 's/^faultline_agents{health="live"} //p' "$tmp/metrics")" 1
equal "metrics: the queue, by kind and state" "$(grep -c '^faultline_jobs{kind="\(build\|test\)",state="[a-z]*"} [0-9]*$' \
	"$tmp/metrics")" 12
strict() { tests/exchange/read_metrics.py "$1" >"$tmp/families" 2>"$tmp/why"; }
check "metrics: nothing is wrong with their format" strict "$tmp/metrics"
if command -v promtool >/dev/null; then
	check "metrics: promtool finds nothing either" eval '[ -z "$(promtool check metrics <"$tmp/metrics" 2>&1)" ]'
fi
refused() { # WHAT SED
	sed "$2" "$tmp/metrics" >"$tmp/mutant"
	check "metrics: refused: $1" eval '! strict "$tmp/mutant" && [ -s "$tmp/why" ]'
}
refused "a family without help" '/^# HELP faultline_jobs /d'
refused "a family without type" '/^# TYPE faultline_jobs /d'
refused "a type that is none" 's/^\(# TYPE faultline_jobs\) gauge/\1 number/'
refused "a counter without its suffix" 's/faultline_runs_total/faultline_runs/'
refused "a gauge with one" 's/faultline_uptime_seconds/faultline_uptime_seconds_total/'
refused "a unit that is no base unit" 's/faultline_uptime_seconds/faultline_uptime_milliseconds/'
refused "a sample twice" '/^faultline_agents{health="live"}/p'
refused "a label without an end" 's/^\(faultline_agents{health="live\)"}/\1}/'
refused "an escape that is none" 's/health="live"/health="\\live"/'
refused "a value that is none" 's/^\(faultline_uptime_seconds\) .*/\1 long/'
refused "a family in two places" '/^faultline_jobs{kind="build",state="done"}/{h;d};${p;x}'
head -c -1 "$tmp/metrics" >"$tmp/mutant"
check "metrics: refused: a last line without an end" eval '! strict "$tmp/mutant"'

# --- the feed ----------------------------------------------------------------------------------------
feed() { curl -sS --noproxy '*' --max-time 30 -D "$tmp/head" -o "$tmp/feed" -w '%{http_code}' "$url/feeds/regressions.atom$1" "${@:2}"; }
atom() { xmllint --noout --nonet --relaxng tests/exchange/atom.rng "$1" 2>"$tmp/why"; }
in_feed() { xmllint --xpath "$1" "$tmp/feed"; }
equal "the feed" "$(feed "")" 200
check "is Atom" atom "$tmp/feed"
check "and says so" grep -qi '^content-type: application/atom+xml' "$tmp/head"
equal "an entry for each regression" "$(in_feed 'count(//*[local-name()="entry"])')" \
	"$(api regressions | jq '.items | length')"
check "state, title, commit" grep -qF "<title>fixed: kernel BUG in crash_here ($(of long culprit | cut -c1-12))</title>" "$tmp/feed"
etag=$(sed -n 's/^[Ee][Tt]ag: //p' "$tmp/head" | tr -d '\r')
equal "what did not change is not sent again" "$(feed "" -H "If-None-Match: $etag")" 304
equal "of one branch" "$(feed '?repo=toy&ref=long'; in_feed 'count(//*[local-name()="entry"])')" 2001
equal "of one that has none" "$(feed '?repo=toy&ref=%3Cb%3E%22'; in_feed 'count(//*[local-name()="entry"])')" 2000
check "which is Atom too" atom "$tmp/feed"
check "a branch's page names its feed" page branches/toy/long
check "by the branch" shows '/feeds/regressions.atom?repo=toy&amp;ref=long"'
feed "" >/dev/null
for mutation in 's|<updated>[^<]*</updated>||' 's|Z</updated>|</updated>|' 's|<id>[^<]*|<id>a b|' \
	's|<entry>|<entry><id>tag:x,2026:y</id>|' 's| href="[^"]*"||' 's|author>|writer>|g'; do
	sed "$mutation" "$tmp/feed" >"$tmp/mutant"
	check "refused: $mutation" eval '! atom "$tmp/mutant"'
done
finish
