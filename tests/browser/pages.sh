#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Every page of the dashboard: status, headers, well-formed HTML, nothing of what a guest, a commit
# or an agent said has become markup.
#
#   tests/browser/pages.sh            starts a server and fills it with made-up, hostile data
#   tests/browser/pages.sh URL        checks a server that runs
#   tests/browser/pages.sh --serve    fills one and leaves it there until its input ends
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
SERVER=$(realpath "$BUILD/bin/faultline-server")
export FAULTLINE_SHARE=${FAULTLINE_SHARE:-$PWD}
T=$(mktemp -d)
PID=
trap 'if [ -n "$PID" ]; then kill -9 "$PID" 2>/dev/null; fi; wait 2>/dev/null; rm -rf "$T"' EXIT
passed=0 failed=0
JSON='Content-Type: application/json'

good() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "not ok: $*"; }
get() { curl -sS --noproxy '*' -m 30 -D "$T/head" -o "$T/body" -w '%{http_code}' "$@"; }

# ---- a server with something to show ---------------------------------------------------------
EVIL='mm: <b id=zqx> & "quotes" '"'"'too'"'"' </title><script>zqx()</script> {{x}}'
LONG=$(printf 'a%.0s' {1..10000})
REF="lazy-<b>&'topic"

make_repo() {
	export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null HOME=$T GIT_AUTHOR_NAME="$EVIL"
	export GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
	local subject
	git init -q -b master "$T/repo"
	git -C "$T/repo" commit -q --allow-empty -m 'mm: the base that everything is measured against'
	git -C "$T/repo" checkout -qb worse
	echo worse >"$T/repo/file"
	git -C "$T/repo" add file
	git -C "$T/repo" commit -qm "$EVIL"
	git -C "$T/repo" checkout -qb next master
	for subject in "$EVIL" $'mm/huge_memory: \xff\xfe invalid \x1b[31mred\x1b[0m' \
		$'mm: \xe2\x80\xae desrever \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d' "mm: $LONG" \
		'mm/huge_memory: free the preallocated page table when the split fails'; do
		echo "$subject" >>"$T/repo/file"
		git -C "$T/repo" add file
		git -C "$T/repo" commit -qm "$subject"
	done
	git -C "$T/repo" checkout -q master
}

start() {
	cat >"$T/conf" <<-END
		[server]
		poll_seconds = 0
		[submit]
		plan = quick
		[repo demo]
		url = $T/repo
		local = yes
		base = master
		branch = $REF base=master plan=thp-split
	END
	exec 9< <(exec "$SERVER" --config "$T/conf" --data "$T/data" --listen 127.0.0.1:0 2>>"$T/log")
	PID=$!
	local line=
	read -r -t 20 line <&9
	URL=${line#listening on }
	URL=${URL%/}
	[ -n "$URL" ] || { echo "the server does not start"; tail -5 "$T/log"; exit 1; }
	ADMIN="Authorization: Bearer $(cat "$T/data/admin.token")"
}

api() { curl -sS --noproxy '*' -m 30 -H "$ADMIN" "$URL/api/v1/$1" "${@:2}"; }

# Follows the events until one matches.
wait_event() {
	local line
	exec 8< <(exec curl -sN --noproxy '*' -m 60 "$URL/api/v1/events?after=0")
	local pid=$!
	while read -r -t 60 line <&8; do
		[[ $line =~ $1 ]] && break
	done
	kill $pid 2>/dev/null
	exec 8<&-
}

build_result='{"version":1,"kind":"build","status":"PASS","reason":"","release":"6.12.0","detail":"",
"warnings":["mm/huge_memory.c:2410:9: warning: <b id=zqx> unused"],"errors":[],"duration_us":93000000,
"image":true}'
broken_result='{"version":1,"kind":"build","status":"FAIL","reason":"build","release":"","warnings":[],
"detail":"<b id=zqx> does not compile","errors":["mm/memory.c:1:1: error: <b id=zqx>"],
"duration_us":9300000,"image":false}'

work() { # COUNT BROKEN: one job after another; that build of them fails
	local n=0 builds=0 job id lease kind log
	while [ $n -lt "$1" ]; do
		job=$(api jobs/claim -H "$JSON" -d '{"name":"agent-1","version":"<b id=zqx>","slots":2,
			"can_build":true,"can_test":true}')
		[ -n "$job" ] || return 0
		n=$((n + 1))
		id=$(jq .id <<<"$job") kind=$(jq -r .kind <<<"$job")
		lease="Faultline-Lease: $(jq -r .lease.token <<<"$job")"
		api "jobs/$id/heartbeat" -H "$lease" -H "$JSON" -d '{"progress":{"phase":"cases","done":3,
			"total":9,"what":"<b id=zqx>"}}' >/dev/null
		[ $n -lt "$1" ] || return 0 # the last one stays leased, what is behind it queued
		if [ "$kind" = build ]; then
			builds=$((builds + 1))
			log='  CC      mm/huge_memory.o <b id=zqx>'
			api "jobs/$id/log?offset=0" -H "$lease" -d "$log" >/dev/null
			echo image >"$T/image"
			api "jobs/$id/artifacts/bzImage" -H "$lease" -T "$T/image" \
				-H "Faultline-SHA256: $(sha256sum "$T/image" | cut -d' ' -f1)" >/dev/null
			if [ $builds = "$2" ]; then job=$broken_result; else job=$build_result; fi
		else
			{
				printf '<b id=zqx>\x1b[31m \xff\xfe \xe2\x80\xae </pre>\r\n'
				cat tests/golden/console/real/lazy-mprotect.log tests/golden/console/synthetic/kasan-uaf.log
				for ((i = 0; i < 1500; i++)); do printf '[%5d.000000] line %d of a long log ........\r\n' $i $i; done
			} >"$T/console"
			api "jobs/$id/log?offset=0" -H "$lease" -H 'Expect:' --data-binary "@$T/console" >/dev/null
			job=$(jq -c --argjson seed $n --rawfile log tests/golden/console/real/lazy-mprotect.log \
				-f tests/browser/fill.jq <<<"$job")
		fi
		api "jobs/$id/result" -H "$lease" -H "$JSON" -H 'Expect:' -d @- <<<"$job" >"$T/answer"
		grep -q '"status":[45]' "$T/answer" && { echo "filling: $(cat "$T/answer")"; failed=$((failed + 1)); }
	done
}

fill() {
	make_repo 2>/dev/null # git warns of the subject that is no UTF-8
	start
	# A regression that takes no further test: a commit that does not build on a base that does.
	api submissions -H "$JSON" -d '{"repo":"demo","ref":"worse","plan":"quick"}' >/dev/null
	wait_event '"state":"planned"'
	work 40 2
	wait_event '"state":"bisected"'
	git -C "$T/repo" branch -m next "$REF"
	api branches/poll -H "$JSON" -d '{}' >/dev/null
	wait_event '"id":2,.*"state":"planned"'
	work 8 3
	api submissions -H "$JSON" -d '{"repo":"demo","ref":"nowhere<b id=zqx>"}' >/dev/null
	api submissions -H "$JSON" -d '{"repo":"demo","ref":"zqx-nowhere"}' >/dev/null
	wait_event '"state":"refused"'
}

# ---- checks --------------------------------------------------------------------------------
voids='area|base|br|col|hr|img|input|link|meta|source|wbr'
# Tags that open are closed, in order.
well_formed() {
	grep -aoE '</?[a-zA-Z][a-zA-Z0-9]*' "$1" | awk -v voids="^($voids)$" '
		/^<\// { t = substr($0, 3); if (n < 1 || stack[n] != t) { print "</" t "> closes <" stack[n] ">"; exit 1 } n--; next }
		{ t = substr($0, 2); if (t !~ voids) stack[++n] = t }
		END { if (n > 0) { print "<" stack[n] "> stays open"; exit 1 } }'
}

page() { # PATH [STATUS]
	local want=${2:-200} status why
	status=$(get -H 'Accept: text/html' "$URL$1")
	[ "$status" = "$want" ] && good || bad "$1: $status, not $want: $(head -c 300 "$T/body")"
	grep -qi '^content-type: text/html; charset=utf-8' "$T/head" && good || bad "$1: not HTML"
	grep -qi "^content-security-policy:.*default-src 'self'" "$T/head" && good || bad "$1: no CSP"
	grep -qi '^x-content-type-options: nosniff' "$T/head" && good || bad "$1: no nosniff"
	grep -qaE '<b id=|zqx\(\)</script>|<[a-z][^>]* (style|on[a-z]+)=|javascript:' "$T/body" &&
		bad "$1: something became markup" || good
	# What may stand in a file is text: no control bytes, no marks that reorder it.
	LC_ALL=C grep -qaP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]' "$T/body" &&
		bad "$1: control characters" || good
	iconv -f UTF-8 -t UTF-8 "$T/body" >/dev/null 2>&1 && good || bad "$1: not UTF-8"
	head -1 "$T/body" | grep -q '^<!DOCTYPE html>$' && good || bad "$1: no doctype"
	why=$(well_formed "$T/body") && good || bad "$1: $why"
}
# What is no page is not taken for one.
plain() { # PATH
	local status
	status=$(get -H 'Accept: text/html' "$URL$1")
	[ "$status" = 200 ] && good || bad "$1: $status, not 200: $(head -c 300 "$T/body")"
	grep -qiE '^content-type: (text/plain|application/(mbox|atom\+xml))' "$T/head" && good ||
		bad "$1: $(grep -i '^content-type' "$T/head")"
	grep -qi '^x-content-type-options: nosniff' "$T/head" && good || bad "$1: no nosniff"
	iconv -f UTF-8 -t UTF-8 "$T/body" >/dev/null 2>&1 && good || bad "$1: not UTF-8"
}
json() { # PATH
	[ "$(get "$URL$1")" = 200 ] && jq -e . "$T/body" >/dev/null 2>&1 && good || bad "$1 is no JSON"
}

# Follows the links of this site, each shape of address a few times.
crawl() {
	local -A seen=() shapes=()
	local queue=(/) path shape
	while [ ${#queue[@]} -gt 0 ]; do
		path=${queue[0]} queue=("${queue[@]:1}")
		shape=$(sed -E 's/[0-9a-f]{40}/H/g; s#^/cases/[^?]+#/cases/C#; s/=[^&]*/=V/g; s/[0-9]+/N/g' <<<"$path")
		[ -z "${seen[$path]:-}" ] && [ "${shapes[$shape]:-0}" -lt 4 ] || continue
		seen[$path]=1 shapes[$shape]=$((${shapes[$shape]:-0} + 1))
		case ${path%%\?*} in
		*.atom | *.txt | *.mbox)
			plain "$path"
			continue
			;;
		esac
		page "$path"
		while IFS= read -r link; do
			link=${link//&amp;/\&}
			[[ $link == \?* ]] && link=${path%%\?*}$link
			link=${link%%#*}
			case $link in
			*format=* | /static/* | /api/* | /outbox | '') ;; # administrators see that one
			/*) queue+=("$link") ;;
			*) bad "$path: a link leads to '$link'" ;;
			esac
		done < <(grep -ao 'href="[^"]*"' "$T/body" | sed 's/^href="//; s/"$//' | sort -u)
	done
	echo "${#seen[@]} pages"
}

case ${1:-} in
'') fill ;;
--serve)
	fill
	echo "$URL"
	cat >/dev/null
	exit 0
	;;
*) URL=${1%/} ;;
esac

crawl
page /submissions/999999 404
page /submissions/zqx 404
page '/results?status=%3Cb%20id=zqx%3E' 400
page '/results?scenario=%22%3E%3Cb%20id=zqx%3E'
page '/branches/demo/%3Cb%20id=zqx%3E' 404
page '/commits/%3Cb%20id=zqx%3E' 404
page '/submissions?cursor=%3Cb%20id=zqx%3E' 422
json '/?format=json'
page '/regressions?state=open'
grep -qa '&lt;b id=zqx&gt;' "$T/body" && good || bad "regressions: not the one that is known"
page /regressions/1
grep -qa 'Report, as it is sent' "$T/body" && grep -qa 'Reported-by:' "$T/body" && good ||
	bad "regression: no report"
page '/regressions?state=flaky'
page '/regressions?state=%3Cb%20id=zqx%3E' 400
page '/regressions?repo=%22%3E%3Cb%20id=zqx%3E&ref=%22%3E%3Cb%20id=zqx%3E'
page /regressions/999999 404
page /regressions/zqx 404
json /regressions.json
json /regressions/1.json
json /submissions.json
json /submissions/2.json
json /agents.json
SHA=$(get "$URL/submissions/2.json" >/dev/null; jq -r .head_sha "$T/body")
page "/commits/$SHA/coverage"
json "/commits/$SHA/coverage.json"
BASE=$(get "$URL/submissions/2.json" >/dev/null; jq -r .base_sha "$T/body")
page /search
page '/search?q=%3Cb%20id=zqx%3E'
grep -qa '&lt;b id=zqx&gt;' "$T/body" && good || bad "search: the hostile subject is not found"
page "/search?q=${SHA:0:7}"
grep -qa "href=\"/commits/$SHA\"" "$T/body" && good || bad "search: the commit is not found by its hash"
page '/search?q=%22%3E%3Cscript%3Ezqx()%3C/script%3E'
page '/search?q=%25' # matches only what holds it
grep -qa 'Nothing is called that' "$T/body" && good || bad "search: % is taken for a pattern"
page '/search?q=' 400
page "/search?q=$(printf 'a%.0s' {1..300})" 400
json '/search.json?q=split.mprotect'
jq -e 'any(.items[]; .kind == "case" and .name == "split.mprotect")' "$T/body" >/dev/null && good ||
	bad "search: a case is not found by its name"
json '/search.json?q=lazy-%3Cb'
jq -e 'any(.items[]; .kind == "branch" and (.href | startswith("/branches/demo/lazy-%3Cb%3E%26%27topic")))' \
	"$T/body" >/dev/null && good || bad "search: a branch is not found: $(head -c 400 "$T/body")"
REFQ=$(get "$URL/branches.json" >/dev/null; jq -r '.items[0].ref | @uri' "$T/body")
page "/coverage?repo=demo&ref=$REFQ"
json "/coverage.json?repo=demo&ref=$REFQ"
page "/coverage?repo=demo&ref=$REFQ&limit=31" 400
page /coverage 400
page "/series?repo=demo&ref=$REFQ"
grep -qa '<path class="l l0" d="M' "$T/body" && good || bad "series: no line is drawn"
page "/series?repo=demo&ref=$REFQ&metric=split_ns&limit=200"
page "/series?repo=demo&ref=$REFQ&metric=%22%3E%3Cb%20id=zqx%3E"
page '/series?repo=demo' 400
page '/series?repo=demo&ref=%3Cb%20id=zqx%3E' 404
page "/series?repo=demo&ref=$REFQ&limit=201" 400
json "/series.json?repo=demo&ref=$REFQ"
jq -e '(.points | length) as $n | .series | length > 5 and all(.[]; .values | length == $n)' "$T/body" >/dev/null &&
	good || bad "series: not a value a commit: $(head -c 300 "$T/body")"
page /cases/split.mprotect
grep -qa '<a class="c s-' "$T/body" && good || bad "case: no verdicts"
page '/cases/split.mprotect?fault=none&status=FAIL&limit=1'
page "/cases/split.mprotect?repo=demo&ref=$REFQ&config=default&fault=&status="
page '/cases/split.mprotect?config=%22%3E%3Cb%20id=zqx%3E'
page '/cases/split.mprotect?fault=zqx' 400
page '/cases/split.mprotect?status=zqx' 400
page '/cases/split.mprotect?cursor=zqx' 422
page '/cases/%3Cb%20id=zqx%3E' 404
page /cases/build
json /cases/split.mprotect.json
jq -e '(.items | length) > 1 and (.points | length) == ([.items[].commit] | unique | length) and all(.items[]; .results > 0)' "$T/body" \
	>/dev/null && good || bad "case: few runs: $(head -c 300 "$T/body")"
json "/cases/split.mprotect.json?repo=demo&ref=$REFQ"
jq -e '.items | length > 1' "$T/body" >/dev/null && good || bad "case: none of the branch"
json '/cases/split.mprotect.json?ref=elsewhere'
jq -e '.items == []' "$T/body" >/dev/null && good || bad "case: some of another branch"
page '/builds?status=PASS&warnings=1'
grep -qa '<a href="/builds/1#warnings">1</a>' "$T/body" && good || bad "builds: not the one with a warning"
page '/builds?status=%3Cb%20id=zqx%3E' 400
page '/builds?cursor=%3Cb%20id=zqx%3E' 422
json '/builds.json?status=FAIL'
jq -e '.items | length > 0 and all(.[]; .status == "FAIL" and .errors > 0)' "$T/body" >/dev/null && good ||
	bad "builds: others than those that failed"
page /builds/1
grep -qa '<span class="mono">mm/huge_memory.c</span> <small>1</small>' "$T/body" && good ||
	bad "build: warnings are not by file"
RUN=$(get "$URL/api/v1/results?status=FAIL&limit=50" >/dev/null; jq '[.items[] | select(.splat)][0].run' "$T/body")
page "/runs/$RUN/log?result=999999&mark=splat"
page "/runs/$RUN/log?mark=%3Cb%20id=zqx%3E" 400
json "/runs/$RUN/log.json?offset=65536"
jq -e '.window.from <= 65536 and (.chunks | length) > 0' "$T/body" >/dev/null && good || bad "log.json"
json "/api/v1/runs/$RUN/log/find?q=FAULT_INJECTION"
jq -e '.at > 0' "$T/body" >/dev/null && good || bad "log: a text is not found"
[ "$(get "$URL/api/v1/runs/$RUN/log/find?q=")" = 400 ] && good || bad "log: no text is found"
page /compare
page '/compare?a=%3Cb%20id=zqx%3E&b=%22%3E%3Cb%20id=zqx%3E' 422
page '/compare?a=1234567' 400
page "/compare?a=$BASE&b=$SHA"
page "/compare?a=submission:2&b=${SHA:0:12}"
json "/compare.json?a=$BASE&b=$SHA"
[ "$(jq '.cases | length' "$T/body")" -gt 100 ] && good || bad "compare: few cases"
[ "$(jq .summary.regressed "$T/body")" -gt 0 ] && good || bad "compare: nothing regressed"
for path in /regressions.csv /regressions.txt /regressions/1.txt /submissions.csv /submissions/2.csv /submissions/2.txt "/commits/$SHA/coverage.csv" "/commits/$SHA/coverage.txt" "/coverage.csv?repo=demo&ref=$REFQ" "/coverage.txt?repo=demo&ref=$REFQ" /cases/split.mprotect.csv /cases/split.mprotect.txt "/series.csv?repo=demo&ref=$REFQ" "/series.txt?repo=demo&ref=$REFQ" "/compare.csv?a=$BASE&b=$SHA" "/compare.txt?a=$BASE&b=$SHA" /results.csv /builds.csv /builds.txt '/agents?format=txt'; do
	[ "$(get "$URL$path")" = 200 ] && good || bad "$path"
	grep -qiE '^content-type: text/(csv|plain)' "$T/head" && good || bad "$path: $(grep -i ^content-type "$T/head")"
done
for file in style.css live.js keys.js copy.js console.js charts.js vendor/uPlot.iife.min.js vendor/uPlot.min.css \
	vendor/uPlot.LICENSE.txt icon.svg; do
	[ "$(get "$URL/static/$file")" = 200 ] && good || bad "/static/$file"
done
# ---- as files --------------------------------------------------------------------------------
mirror() { "$BUILD/bin/faultline" export-static --server "$URL/" "$@" 2>"$T/mirror.log"; echo $?; }
[ "$(mirror "$T/mirror" --max-pages 400)" = 2 ] && grep -q '[34][0-9][0-9] files .*there is more' "$T/mirror.log" && good ||
	bad "a mirror that is cut off: $(tail -n 1 "$T/mirror.log")"
tests/browser/mirror.py "$T/mirror" "$URL/" >"$T/links" && good || bad "mirror: $(head -n 5 "$T/links")"
grep -qa '&lt;b id=zqx&gt;' "$T/mirror/submissions.html" && good || bad "mirror: submissions are not all there"
[ -s "$T/mirror/static/style.css" ] && good || bad "mirror: no style"
for mutation in 's|href="static/|href="/static/|' 's|href="branches.html"|href="branch.html"|' \
	's|<main|<main data-live="any"|'; do
	cp -r "$T/mirror" "$T/mutant"
	sed -i "$mutation" "$T/mutant/index.html"
	tests/browser/mirror.py "$T/mutant" "$URL/" >/dev/null && bad "mirror: not noticed: $mutation" || good
	rm -r "$T/mutant"
done
[ "$(mirror "$T/mirror" --max-pages 2)" = 2 ] && [ ! -e "$T/mirror/branches.html" ] && good ||
	bad "a mirror is not replaced"
mkdir "$T/mine" && echo precious >"$T/mine/file"
[ "$(mirror "$T/mine")" = 64 ] && [ -s "$T/mine/file" ] && good || bad "a folder that is no mirror is replaced"
if [ -n "$PID" ] && grep -q 'render-failed\|request-failed' "$T/log"; then
	bad "the server's log: $(grep 'render-failed\|request-failed' "$T/log" | head -3)"
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
