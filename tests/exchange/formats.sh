#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What others are to read is held against what they say they read: KCIDB reports against the JSON
# schema (by ajv, with format checks), JUnit XML against the XSD (by xmllint), KTAP against its plan.
# The documents are those of tests/golden, one full of hostile text, one of `faultline run`, and a
# submission's, by API and command line. That the judges are awake is shown by mutations.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

here=$root/tests/exchange
modules=$root/${BUILD:-build}/exchange
export_doc=$root/${BUILD:-build}/tests/integration/export_doc
schema=$here/kcidb-5.3.schema.json
out=$tmp/out
mkdir -p "$out" "$modules"

# The validator, as package-lock.json says; once a build folder.
if ! cmp -s "$here/package-lock.json" "$modules/installed"; then
	cp "$here/package.json" "$here/package-lock.json" "$modules"
	(cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund) >"$tmp/npm.log" 2>&1 &&
		cp "$here/package-lock.json" "$modules/installed"
fi
check "the validator is installed" test -f "$modules/installed"

validate() { node "$here/validate.cjs" "$modules" "$schema" "$1"; }
xsd() { xmllint --noout --nonet --schema "$here/junit.xsd" "$1" 2>&1; }
xpath() { xmllint --xpath "$2" "$1"; }

# Beyond the schema: ids are unique, what refers to something finds it, nothing at all is null.
consistent() {
	jq -e '([.checkouts, .builds, .tests, .issues, .incidents] | add | map(.id)) as $all |
		([.checkouts[].id] | unique) as $c | ([.builds[].id] | unique) as $b |
		([.tests[].id] | unique) as $t | ([.issues[].id] | unique) as $i |
		($c + $b + $t + $i + ([.incidents[].id] | unique) | length) == ($all | length) and
		([.builds[].checkout_id] - $c == []) and ([.tests[].build_id] - $b == []) and
		([.incidents[].test_id] - $t == []) and ([.incidents[].issue_id] - $i == []) and
		([.. | nulls] == [])' "$1"
}
kcidb() { # kcidb NAME FILE
	local why
	why=$(validate "$2") && ok "$1: KCIDB" || not_ok "$1: KCIDB: ${why:0:1000}"
	check "$1: KCIDB holds together" consistent "$2" >/dev/null
}
junit() { # junit NAME FILE: and its sums are those of its cases
	local why sum
	why=$(xsd "$2") && ok "$1: JUnit" || not_ok "$1: JUnit: ${why:0:1000}"
	sum='concat(count(//testcase), " ", count(//failure), " ", count(//error))'
	equal "$1: JUnit counts" "$(xpath "$2" "$sum")" \
		"$(xpath "$2" 'concat(/*/@tests, " ", /*/@failures, " ", /*/@errors)')"
	sum='concat(sum(//testsuite/@tests), " ", count(//skipped))'
	equal "$1: JUnit counts by suite" "$(xpath "$2" "$sum")" \
		"$(xpath "$2" 'concat(count(//testcase), " ", sum(//testsuite/@skipped))')"
}
ktap() { # ktap NAME FILE: a plan, and a line for each number of it
	local n
	n=$(sed -n '2s/^1\.\.//p' "$2")
	equal "$1: KTAP" "$(head -n 1 "$2"; grep -aoE '^(not )?ok [0-9]+' "$2" | grep -o '[0-9]*$')" \
		"$(echo 'KTAP version 1'; seq "${n:-1}")"
}
documents() { # documents NAME DOCUMENT: in every format
	local format
	for format in kcidb junit ktap; do
		check "$1 as $format" "$export_doc" $format "$2" >"$out/$1.$format"
		$format "$1" "$out/$1.$format"
	done
}

# --- result documents -----------------------------------------------------------------------------
for doc in "$root"/tests/golden/result/*.json; do
	documents "$(basename "$doc" .json)" "$doc"
done

# Markup, the end of CDATA, escapes, marks that reverse, controls; and ten thousand letters.
jq '("<b id=x>&\"'\''</testcase>]]>\u001b[31m\u0001\u009b\u202eabc\ufffe # SKIP\r\nok 9 x\t") as $evil |
	.kernel.release = $evil | .kernel.commit = $evil | .machine.qemu = $evil |
	.results[] |= (.config = $evil[:90] | .detail = $evil | .repro = $evil) |
	.results[0].splat |= (.title = $evil | .excerpt = $evil * 300) |
	.results[0].checks = [{name: $evil, ok: false, detail: ("n" * 4000)}] |
	.results[0].counters = {"<b>\u202e": {before: 0, after: 1, delta: 1}} |
	.results[1].metrics = [{name: $evil[:60], value: 1e300, unit: $evil[:20]}]' \
	"$root/tests/golden/result/crash.json" >"$tmp/hostile.json"
documents hostile "$tmp/hostile.json"
check "hostile: nothing became markup" test \
	"$(xpath "$out/hostile.junit" 'count(//*[local-name() = "b"])')" = 0
check "hostile: the text is still all there" test \
	"$(xpath "$out/hostile.junit" 'count(//failure[contains(@message, "</testcase>]]>")])')" = 2
check "hostile: no control bytes in the file" test \
	-z "$(LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f\x7f]|\xe2\x80\xae' "$out/hostile.junit")"

# --- who tells of the formats -----------------------------------------------------------------------
help=$("$bin/faultline" run --help)
for format in kcidb junit ktap; do
	check "--help lists $format" grep -q -- "--format=.*$format" <<<"$help"
done

# --- one run, without a server ----------------------------------------------------------------------
toy_init
printf '#fake\nready\ndie split.mprotect 1 __split_huge_pmd_locked\nserve 2\n' >"$tmp/bzImage"
for format in kcidb junit ktap; do
	"$bin/faultline" run --kernel "$tmp/bzImage" --scenario 'split.m*' --fault sweep --accel tcg \
		--work "$tmp/work" --origin my_lab --format $format >"$out/run.$format" 2>>"$tmp/run.log"
	equal "run --format $format: the kernel failed" $? 1
	$format run "$out/run.$format"
done
equal "run: the origin is the one that was given" \
	"$(jq -r '[.tests[].origin] | unique | join(" ")' "$out/run.kcidb")" "my_lab"
equal "run: the crash is one issue, with its fingerprint" \
	"$(jq -r '[.issues[].id | test("^my_lab:[0-9a-f]{16}$")] | join(" ")' "$out/run.kcidb")" "true"
"$bin/faultline" run --kernel "$tmp/bzImage" --origin My-Lab >/dev/null 2>"$tmp/origin.err"
equal "run: an origin that KCIDB would refuse is refused" $? 64

# --- a submission -----------------------------------------------------------------------------------
good=$(commit "good" $'ready\nserve 1')
commit "crash <b>&" $'ready\ndie split.mprotect 1 __split_huge_pmd_locked\nserve 1' >/dev/null
commit "does not compile" $'ready\nserve 1' \
	'echo "mm/huge_memory.c:12:3: error: unknown type name nope" >&2; exit 2' >/dev/null
head=$(commit "deposits" $'ready\nskip\nserve 1')
cat >"$tmp/server.conf" <<CONF
[server]
data = $tmp/data
poll_seconds = 0

[export]
origin = my_lab
url = https://ci.example.org/faultline/

[repo toy]
url = $tmp/toy/.git
local = yes
base = main

[submit]
plan = quick
CONF
token() { "$bin/faultline-server" --config "$tmp/server.conf" token add "$1" "$2" >"$tmp/$1.token"; }
token agent agent
token dev maintainer
start_server || exit 1
export FAULTLINE_TOKEN_FILE=$tmp/dev.token
start agent "$bin/faultline-agent" --server "$url" --token-file "$tmp/agent.token" \
	--work "$tmp/agent" --name toy --accel tcg
id=$("$bin/faultline" submit --git toy --ref "$head" --base "$good" 2>"$tmp/submit.log")
"$bin/faultline" watch "$id" >"$tmp/watch.out" 2>&1
equal "the submission ends, a kernel failed" $? 1
for format in kcidb junit ktap; do
	api "results?submission=$id&limit=500&format=$format" -D "$tmp/head" >"$out/api.$format"
	$format "API" "$out/api.$format"
	"$bin/faultline" results "$id" --format $format --origin my_lab >"$out/cli.$format"
	equal "results --format $format: exit status" $? 1
done
check "the address' ending does not matter: content type" grep -qi '^content-type: text/plain' "$tmp/head"
kcidb "results" "$out/cli.kcidb"
for format in junit ktap; do
	check "results --format $format is what the API gives" cmp -s "$out/api.$format" "$out/cli.$format"
done
check "results --format kcidb is what the API gives, but for links" cmp -s \
	<(jq . "$out/cli.kcidb") \
	<(jq '(.builds, .tests) |= map(del(.log_url, .output_files))' "$out/api.kcidb")
equal "csv has a line for each result" "$("$bin/faultline" results "$id" --format csv | grep -c '"toy\|split')" \
	"$(grep -acE '^(not )?ok [0-9]+ [0-9a-f]+ split' "$out/cli.ktap")"
# Of a run, a commit, one scenario or status: the command line says what the API says.
run=$(api "results?submission=$id&status=FAIL&scenario=split.mprotect&limit=1" | jq '.items[0].run')
compare_filter() { # WHAT QUERY ARGUMENTS…
	local what=$1 query=$2 format status
	shift 2
	for format in kcidb junit ktap; do
		api "results?$query&limit=500&format=$format" >"$out/some.api.$format"
		"$bin/faultline" results "$@" --format $format --origin my_lab >"$out/some.$format" 2>"$tmp/some.log"
		status=$?
		$format "results of $what" "$out/some.$format"
		equal "results of $what, $format: exit status" $status \
			"$(api "results?$query&limit=500" | jq 'if any(.items[]; .status == "FAIL") then 1 else 0 end')"
	done
	check "results of $what: as the API has them" cmp -s "$out/some.api.ktap" "$out/some.ktap"
	check "results of $what: JUnit as well" cmp -s "$out/some.api.junit" "$out/some.junit"
	check "results of $what: KCIDB as well, but for links" cmp -s <(jq . "$out/some.kcidb") \
		<(jq '(.builds, .tests) |= map(del(.log_url, .output_files))' "$out/some.api.kcidb")
	equal "results of $what: csv has them all" "$("$bin/faultline" results "$@" --format csv | grep -c split)" \
		"$(api "results?$query&limit=500" | jq '[.items[] | select(.case | startswith("split"))] | length')"
}
compare_filter "a run" "run=$run" --run "$run"
compare_filter "a run's failures" "run=$run&status=FAIL" --run "$run" --status FAIL
compare_filter "a scenario" "submission=$id&scenario=split.munmap" "$id" --scenario split.munmap
compare_filter "a commit" "commit=$good" --commit "$good"
"$bin/faultline" results >/dev/null 2>&1
equal "results of everything are nobody's wish" $? 64
"$bin/faultline" results --run "$run" --status BAD >/dev/null 2>&1
equal "a status that is none" $? 2
# One page after another holds what one large page does.
cursor='' n=0
while [ $n -lt 100 ]; do
	n=$((n + 1))
	api "results?submission=$id&limit=3&format=kcidb${cursor:+&cursor=$cursor}" -D "$tmp/head" >"$out/page.$n"
	validate "$out/page.$n" >/dev/null || not_ok "page $n is not KCIDB"
	cursor=$(sed -n 's/^[Ll]ink: <?cursor=\([^>]*\)>.*/\1/p' "$tmp/head" | tr -d '\r')
	[ -n "$cursor" ] || break
done
check "there are several pages" test $n -gt 2
equal "the pages hold every test once" "$(jq -s '[.[].tests[].id] | sort' "$out"/page.*)" \
	"$(jq '[.tests[].id] | sort' "$out/api.kcidb")"
equal "a build that failed is a build, not a test" \
	"$(jq -r '([.builds[] | select(.status == "FAIL")] | length | tostring) + " " +
	([.tests[] | select(.path == "faultline.build")] | length | tostring)' "$out/api.kcidb")" "1 0"
equal "it says why" "$(jq -r '.builds[] | select(.status == "FAIL") | .log_excerpt' "$out/api.kcidb" |
	grep -c 'unknown type name nope')" 1
equal "links begin with the configured address" \
	"$(jq -r '[.. | .log_url?, .url? | strings | startswith("https://ci.example.org/faultline/api/v1/")] |
	unique | tostring' "$out/api.kcidb")" "[true]"
equal "a path of the server's machine is told to nobody" "$(grep -c "$tmp" "$out/api.kcidb")" 0
equal "no submission, no report" "$(api "results?submission=999&format=kcidb" | jq -r .status)" 404
stop agent TERM
stop server TERM

# --- mutations: each judge says no, and why ------------------------------------------------------------
rejected() { # rejected WHAT REASON JQ
	jq "$3" "$out/api.kcidb" >"$out/mutant.kcidb"
	check "rejected: $1" grep -q "$2" <(validate "$out/mutant.kcidb")
}
rejected "a status that is none" "/tests/0/status enum" '.tests[0].status = "BROKEN"'
rejected "a null member" "/tests/0/comment type" '.tests[0].comment = null'
rejected "an id without an origin" "/tests/0/id pattern" '.tests[0].id = "result-1"'
rejected "a time that is none" "/tests/0/start_time format" '.tests[0].start_time = "yesterday"'
rejected "an address that is none" "/builds/0/log_url format" '.builds[0].log_url = "a b"'
rejected "a member of our own" "/tests/0 additionalProperties" '.tests[0].reason = "bug"'
refused() { # refused WHAT REASON SED
	sed "$3" "$out/api.junit" >"$out/mutant.junit"
	check "refused: $1" grep -q "$2" <(xsd "$out/mutant.junit")
}
refused "an element that is none" "broken.*not expected" 's/<failure /<broken /; s/<\/failure>/<\/broken>/'
refused "a case without a name" "'name' is required" 's/ name="sweep"//'
refused "a count that is none" "not a valid value.*nonNegativeInteger" 's/errors="[0-9]*"/errors="few"/'
finish
