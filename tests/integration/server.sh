#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The real server in a temporary folder, on a free port, over a small local repository: the life of
# a submission, bad input, roles, framing, crashes, git. Waits for events, never for time.
#   BUILD=build tests/integration/server.sh
# shellcheck disable=SC2015
set -u
cd "$(dirname "$0")/../.." || exit 2
BUILD=${BUILD:-build}
SERVER=$(realpath "$BUILD/bin/faultline-server")
export FAULTLINE_SHARE=${FAULTLINE_SHARE:-$PWD}
T=$(mktemp -d)
PIDS=()
passed=0 failed=0

cleanup() {
	for p in "${PIDS[@]}"; do kill -9 "$p" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$T"
}
trap cleanup EXIT

ok() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$T/why" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok: $name: $*"
		head -c 600 "$T/why"
		[ -f "$T/body" ] && head -c 300 "$T/body"
	fi
}
is() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }; }
has() { grep -qe "$2" "$1" || { echo "no '$2' in: $(head -c 500 "$1")"; return 1; }; }
field() { sed -n "s/.*\"$2\":\"\{0,1\}\([^\",}]*\).*/\1/p" "$1" | head -1; } # first of a line's last

start() { # sets URL, HOST, PORT, PID
	exec 9< <(exec "$SERVER" --config "$T/conf" --data "$T/data" --listen 127.0.0.1:0 2>>"$T/log")
	PID=$!
	PIDS+=("$PID")
	local line=
	read -r -t 20 line <&9
	URL=${line#listening on }
	PORT=${URL##*:}
	[ -n "$PORT" ] || { echo "the server does not start"; tail -5 "$T/log"; exit 1; }
}
stop() { # SIGNAL; waits for the end (its stdout closes)
	kill "-$1" "$PID"
	read -r -t 30 -u 9
	wait "$PID"
	local r=$?
	exec 9<&-
	return $r
}
# call METHOD PATH [CURL OPTION]...: prints the status, body in $T/body, headers in $T/head
call() {
	local method=$1 path=$2
	shift 2
	curl -sS -m 30 -X "$method" -D "$T/head" -o "$T/body" -w '%{http_code}' "$@" "$URL$path"
}
as() { echo "Authorization: Bearer $(cat "$T/$1.token")"; }
JSON='Content-Type: application/json'
submit() { call POST /api/v1/submissions -H "$(as maintainer)" -H "$JSON" -d "$1"; }
claim() { # WAIT → status; LEASE, JOB and RUN are set
	local s
	s=$(call POST "/api/v1/jobs/claim?wait=$1" -H "$(as agent)" -H "$JSON" \
		-d '{"name":"agent-1","version":"1","slots":1,"can_build":true,"can_test":true}')
	LEASE=$(sed -n 's/.*"lease":{"token":"\([0-9a-f]*\)".*/\1/p' "$T/body")
	JOB=$(sed -n 's/^{"id":\([0-9]*\),.*/\1/p' "$T/body")
	RUN=$(sed -n 's/^{"id":[0-9]*,"run":\([0-9]*\),.*/\1/p' "$T/body")
	KIND=$(sed -n 's/.*"kind":"\([a-z]*\)".*/\1/p' "$T/body")
	STATUS=$s
}
leased() { # METHOD SUBPATH [CURL OPTION]...
	local method=$1 sub=$2
	shift 2
	call "$method" "/api/v1/jobs/$JOB/$sub" -H "$(as agent)" -H "Faultline-Lease: $LEASE" "$@"
}
# wait_event FROM REGEX: follows the event stream (after=ID, since=TIME) until a line matches
wait_event() {
	local line
	exec 8< <(exec curl -sN -m 30 "$URL/api/v1/events?$1")
	local pid=$!
	while read -r -t 30 line <&8; do
		if [[ $line =~ $2 ]]; then
			kill $pid 2>/dev/null
			exec 8<&-
			return 0
		fi
	done
	exec 8<&-
	return 1
}
# raw TEXT: sends bytes, prints everything until the server closes (124: it did not)
raw() {
	exec 7<>"/dev/tcp/127.0.0.1/$PORT" || return 1
	printf '%b' "$1" >&7
	timeout 10 cat <&7
	local r=$?
	exec 7<&- 7>&-
	return $r
}
raw_status() { raw "$1" | sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p'; }

# ---- a repository and a configuration ----------------------------------------------------------
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null HOME=$T
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a
export GIT_COMMITTER_EMAIL=a@example.org
git init -q -b master "$T/repo"
commit() { echo "$1" >>"$T/repo/file"; git -C "$T/repo" add file; git -C "$T/repo" commit -qm "$1"; }
commit one; commit two
git -C "$T/repo" checkout -qb topic
commit three; commit four
cat >"$T/conf" <<END
[server]
request_timeout_seconds = 2
lease_seconds = 5
poll_seconds = 0
[submit]
allow = https://git.example.org/pub
plan = quick
[repo demo]
url = $T/repo
local = yes
base = master
branch = topic base=master plan=quick
END

echo "# start"
start
cp "$T/data/admin.token" "$T/admin.token"
ok "admin token is private" is "$(stat -c %a "$T/data/admin.token")" 600
for role in maintainer agent reader; do
	ok "token for $role" is "$(call POST /api/v1/tokens -H "$(as admin)" -H "$JSON" \
		-d "{\"name\":\"$role-1\",\"role\":\"$role\"}")" 201
	sed -n 's/.*"token":"\([^"]*\)".*/\1/p' "$T/body" >"$T/$role.token"
done
ok "token name taken" is "$(call POST /api/v1/tokens -H "$(as admin)" -H "$JSON" \
	-d '{"name":"reader-1","role":"reader"}')" 409
ok "second server on the folder" has <("$SERVER" --data "$T/data" --listen 127.0.0.1:0 2>&1) "another process"
ok "token command while it runs" has <("$SERVER" --data "$T/data" token list 2>&1) "is running"
ok "healthz" is "$(call GET /healthz)" 200
ok "readyz" is "$(call GET /readyz)" 200
ok "metrics" is "$(call GET /metrics)" 200
ok "openapi" is "$(call GET /api/v1/openapi.json)" 200
ok "openapi names the log" has "$T/body" '"/api/v1/jobs/{id}/log"'
ok "HEAD" is "$(curl -sS -m 10 -I -o /dev/null -w '%{http_code}' "$URL/healthz")" 200
ok "security headers" has <(curl -sSI "$URL/healthz") "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'"
ok "404 is a problem document" is "$(call GET /nothing)" 404
ok "404 has the type" has "$T/head" "application/problem+json"
ok "405" is "$(call PUT /api/v1/branches)" 405
ok "405 says what" has "$T/head" "^Allow: GET, HEAD"

echo "# submit"
ok "tracked branch is planned" wait_event after=0 '"id":1,"state":"planned"'
ok "range starts at the merge base" is "$(call GET /api/v1/submissions/1)" 200
ok "three commits" is "$(grep -o '"position":[0-9]*' "$T/body" | sort -u | wc -l)" 3
ok "base is the merge base" has "$T/body" "\"base_sha\":\"$(git -C "$T/repo" rev-parse master)\""
ok "submission" is "$(submit '{"repo":"demo","ref":"topic"}')" 201
ok "location" has "$T/head" "^Location: /api/v1/submissions/2"
ok "unknown ref is refused" is "$(submit '{"repo":"demo","ref":"nowhere"}')" 201
ok "refusal is told" wait_event after=0 '"id":3,"state":"refused","message":"the repository has no branch or tag'
ok "base equal to head is refused" is "$(submit '{"repo":"demo","ref":"topic","base":"topic"}')" 201
ok "refusal of the empty range" wait_event after=0 '"id":4,"state":"refused","message":"nothing to test'
git -C "$T/repo" checkout -q --orphan other && git -C "$T/repo" commit -qm other
ok "no common ancestor" is "$(submit '{"repo":"demo","ref":"other","base":"master"}')" 201
ok "the stream goes back" wait_event "since=$(date -u -d '-10 min' +%FT%T.%6NZ)" '"id":4,"state":"refused"'
ok "refusal without ancestor" wait_event after=0 '"id":5,"state":"refused","message":".*no common ancestor'
git -C "$T/repo" checkout -q topic

echo "# bad input"
while IFS='|' read -r want body; do
	ok "submit $body" is "$(submit "$body")" "$want"
done <<'END'
400|{"repo":"demo",
400|{'repo':'demo','ref':'topic'}
400|{"repo":"demo","repo":"demo","ref":"topic"}
400|
400|nothing
422|[]
422|{}
422|{"repo":"demo"}
422|{"ref":"topic"}
422|{"repo":"demo","git":"https://git.example.org/pub/a.git","ref":"topic"}
422|{"repo":7,"ref":"topic"}
422|{"repo":"demo","ref":["topic"]}
422|{"repo":"demo","ref":""}
422|{"repo":"demo","ref":"-topic"}
422|{"repo":"demo","ref":"--upload-pack=touch /tmp/x"}
422|{"repo":"demo","ref":"a..b"}
422|{"repo":"demo","ref":"a b"}
422|{"repo":"demo","ref":"a\u0000b"}
422|{"repo":"demo","ref":"topic","base":"-x"}
422|{"repo":"demo","ref":"topic","plan":"nowhere"}
422|{"repo":"demo","ref":"topic","plan":"../../etc/passwd"}
422|{"repo":"demo","ref":"topic","extra":1}
422|{"repo":"nowhere","ref":"topic"}
422|{"git":"file:///etc","ref":"topic"}
422|{"git":"/etc","ref":"topic"}
422|{"git":"ext::sh -c id","ref":"topic"}
422|{"git":"ssh://-oProxyCommand=id/x","ref":"topic"}
422|{"git":"-oProxyCommand=id:x","ref":"topic"}
422|{"git":"ssh://git.example.org/pub/a.git","ref":"topic"}
422|{"git":"http://git.example.org/pub/a.git","ref":"topic"}
422|{"git":"https://git.example.org/public/a.git","ref":"topic"}
422|{"git":"https://git.example.org.evil.example/pub/a.git","ref":"topic"}
422|{"git":"https://git.example.org@evil.example/pub/a.git","ref":"topic"}
422|{"git":"https://u:p@git.example.org/pub/a.git","ref":"topic"}
422|{"git":"https://git.example.org/pub/../priv/a.git","ref":"topic"}
422|{"git":"https://git.example.org/pub/%2e%2e/a.git","ref":"topic"}
422|{"git":"https://127.0.0.1/pub/a.git","ref":"topic"}
END
ok "the path is named" is "$(submit '{"repo":"demo","ref":7}')" 422
ok "the path is named" has "$T/body" 'ref'
ok "wrong type" is "$(call POST /api/v1/submissions -H "$(as maintainer)" -d '{}')" 415
ok "too large" is "$(head -c 1100000 /dev/zero | call POST /api/v1/submissions -H "$(as maintainer)" \
	-H "$JSON" -H 'Expect:' --data-binary @-)" 413
ok "too large, chunked" is "$(head -c 1100000 /dev/zero | call POST /api/v1/submissions \
	-H "$(as maintainer)" -H "$JSON" -H 'Transfer-Encoding: chunked' -H 'Expect:' --data-binary @-)" 413
truncate -s 300M "$T/huge"
ok "oversized upload" is "$(call PUT /api/v1/jobs/1/artifacts/x -H "$(as agent)" -T "$T/huge")" 413
ok "body where none is taken" is "$(call GET /api/v1/branches -d x)" 413
ok "bad limit" is "$(call GET '/api/v1/submissions?limit=0')" 400
ok "bad time" is "$(call GET '/api/v1/events?since=yesterday')" 400
ok "bad cursor" is "$(call GET '/api/v1/submissions?cursor=x%27y')" 422
ok "bad escape" is "$(call GET '/api/v1/commits/%zz')" 400
ok "NUL in the path" is "$(call GET '/api/v1/commits/%00')" 400
ok "dots in the path" is "$(call GET /static/../../etc/passwd --path-as-is)" 404
ok "unknown submission" is "$(call GET /api/v1/submissions/999)" 404
ok "id that is none" is "$(call GET /api/v1/submissions/1x)" 404
ok "csv of a list" is "$(call GET /api/v1/submissions.csv)" 200
ok "csv type" has "$T/head" "text/csv"
ok "txt of a list" is "$(call GET '/api/v1/results?format=txt')" 200

echo "# roles"
CLAIM='{"name":"agent-1"}'
ok "submit without token" is "$(call POST /api/v1/submissions -H "$JSON" -d '{}')" 401
ok "asks for a token" has "$T/head" "^WWW-Authenticate: Bearer"
ok "agent does not submit" is "$(call POST /api/v1/submissions -H "$(as agent)" -H "$JSON" -d '{}')" 403
ok "maintainer does not claim" is "$(call POST /api/v1/jobs/claim -H "$(as maintainer)" -H "$JSON" -d "$CLAIM")" 403
ok "reader does not claim" is "$(call POST /api/v1/jobs/claim -H "$(as reader)" -H "$JSON" -d "$CLAIM")" 403
ok "maintainer makes no tokens" is "$(call GET /api/v1/tokens -H "$(as maintainer)")" 403
ok "made-up token" is "$(call GET /api/v1/branches -H "Authorization: Bearer fl_admin_$(printf '0%.0s' {1..64})")" 401
ok "basic does not write" is "$(call POST /api/v1/submissions -u "x:$(cat "$T/maintainer.token")" -H "$JSON" -d '{}')" 401
ok "basic reads" is "$(call GET /api/v1/tokens -u "x:$(cat "$T/admin.token")")" 200
ok "no secrets in the list" is "$(grep -c 'fl_' "$T/body")" 0

echo "# job"
claim 0
ok "claim" is "$STATUS" 200
ok "a build" is "$KIND" build
ok "heartbeat" is "$(leased POST heartbeat -H "$JSON" -d '{"progress":{"phase":"build","done":1,"total":9}}')" 200
ok "ttl" has "$T/body" '"ttl_ms":5000'
ok "wrong lease" is "$(LEASE=00 leased POST heartbeat -H "$JSON" -d '{}')" 409
ok "no lease" is "$(call POST "/api/v1/jobs/$JOB/heartbeat" -H "$(as agent)" -H "$JSON" -d '{}')" 400
ok "unknown job" is "$(JOB=9999 leased POST heartbeat -H "$JSON" -d '{}')" 404
ok "log" is "$(leased POST 'log?offset=0' --data-binary 'hello ')" 200
ok "log grows" is "$(leased POST 'log?offset=6' --data-binary 'world')" 200
ok "overlap is skipped" is "$(leased POST 'log?offset=6' --data-binary 'world!')" 200
ok "size" has "$T/body" '"size":12'
ok "gap" is "$(leased POST 'log?offset=99' --data-binary 'x')" 416
ok "gap tells the size" has "$T/body" '"size":12'
ok "log without offset" is "$(leased POST log --data-binary 'x')" 400
ok "log is served" is "$(curl -sS "$URL/api/v1/runs/$RUN/log")" "hello world!"
ok "from an offset" is "$(curl -sS "$URL/api/v1/runs/$RUN/log?offset=6")" "world!"
ok "range" is "$(curl -sS -r 0-4 "$URL/api/v1/runs/$RUN/log")" "hello"
ok "range beyond" is "$(call GET "/api/v1/runs/$RUN/log" -r 50-60)" 416
ok "full log" is "$(leased POST 'log?offset=6' -H 'Expect:' --data-binary @<(head -c 1048577 /dev/zero))" 413
ok "heartbeat without progress" is "$(leased POST heartbeat -H "$JSON" -d "{}")" 200
printf 'kernel image' >"$T/image"
SUM=$(sha256sum "$T/image" | cut -d' ' -f1)
put() { leased PUT "artifacts/$1" -H "Faultline-SHA256: $2" -T "$T/image"; }
ok "artifact with a wrong hash" is "$(put bzImage "${SUM//a/b}")" 422
ok "artifact without hash" is "$(leased PUT artifacts/bzImage -T "$T/image")" 400
ok "artifact with a bad name" is "$(put '..%2f..%2fx' "$SUM")" 422
ok "artifact" is "$(put bzImage "$SUM")" 201
ok "artifact again" is "$(put bzImage "$SUM")" 201
ok "symbols" is "$(put System.map "$SUM")" 201
RESULT='{"version":1,"kind":"build","status":"PASS","reason":"","release":"6.12.0","warnings":[],"errors":[],"detail":"","duration_us":1000,"image":true}'
ok "result with a wrong type" is "$(leased POST result -H "$JSON" -d "${RESULT/1000/\"x\"}")" 422
ok "result of another kind" is "$(leased POST result -H "$JSON" -d '{"version":1,"kind":"x"}')" 422
ok "result with another version" is "$(leased POST result -H "$JSON" -d '{"version":2,"kind":"build"}')" 422
ok "result" is "$(leased POST result -H "$JSON" -d "$RESULT")" 200
ok "result again" is "$(leased POST result -H "$JSON" -d "$RESULT")" 200
ok "artifact is served" is "$(curl -sS "$URL/api/v1/builds/1/artifacts/bzImage")" "kernel image"
ok "artifact has an etag" is "$(call GET /api/v1/builds/1/artifacts/bzImage -H "If-None-Match: \"$SUM\"")" 304
ok "unknown artifact" is "$(call GET /api/v1/builds/1/artifacts/other)" 404
ok "run" is "$(call GET "/api/v1/runs/$RUN")" 200
ok "build" is "$(call GET /api/v1/builds/1)" 200
ok "commit" is "$(call GET "/api/v1/commits/$(git -C "$T/repo" rev-parse master)")" 200
MASTER=$(git -C "$T/repo" rev-parse master)
ok "coverage" is "$(call GET "/api/v1/commits/$MASTER/coverage")" 200
ok "coverage knows the catalogue" has "$T/body" '"known":[1-9]'
ok "coverage before a test" has "$T/body" '"reached":0'
ok "coverage as a table" is "$(call GET "/api/v1/commits/$MASTER/coverage?format=csv")" 200
ok "coverage's columns" has "$T/body" '^state,known,injections,path'
ok "coverage of nothing" is "$(call GET "/api/v1/commits/${MASTER//[0-9]/f}/coverage")" 404
ok "coverage of no commit" is "$(call GET /api/v1/commits/zqx/coverage)" 404
C="/api/v1/compare?a=$MASTER"
ok "compare" is "$(call GET "$C&b=demo/topic")" 200
ok "compare says what is B" has "$T/body" "\"commit\":\"$(git -C "$T/repo" rev-parse topic)\""
ok "compare has the build of A" has "$T/body" '"title":"build","case":"build"'
ok "compare by the first digits" is "$(call GET "/api/v1/compare?a=${MASTER:0:12}&b=submission:1")" 200
ok "compare as a table" is "$(call GET "$C&b=$MASTER&format=csv")" 200
ok "compare's columns" has "$T/body" '^class,case,fault,point,config,arch,accel,a.status'
ok "compare for people" is "$(call GET "/api/v1/compare.txt?a=$MASTER&b=$MASTER")" 200
ok "compare with itself" has "$T/body" '^regressed 0, still failing 0'
ok "compare without b" is "$(call GET "$C")" 400
ok "compare with an empty b" is "$(call GET "$C&b=")" 400
ok "compare with no name" is "$(call GET "$C&b=zqx%27")" 422
ok "compare with nothing known" is "$(call GET "$C&b=${MASTER//[0-9]/f}")" 404
ok "compare with no submission" is "$(call GET "$C&b=submission:999")" 404
compare() { "$BUILD/bin/faultline" compare --server "$URL" "$@" >"$T/body" 2>"$T/err"; echo $?; }
ok "command: an unknown branch" is "$(compare "$MASTER" demo/topic~no)" 2
ok "command: the server's word" has "$T/err" "nothing of 'topic~no' in repository 'demo' was tested"
ok "command: a commit with itself" is "$(compare "${MASTER:0:12}" "$MASTER")" 0
ok "command: the table" has "$T/body" '^regressed 0, still failing 0, .* unchanged 1,'
ok "command: csv" is "$(compare "$MASTER" "$MASTER" --format csv)" 0
ok "command: csv's line" has "$T/body" '^unchanged,build,'
jq '.results[].status = "PASS" | .results[].reason = "" | del(.summary)' \
	tests/golden/result/crash.json >"$T/good.json"
ok "command: two files" is "$(compare "$T/good.json" tests/golden/result/crash.json)" 1
ok "command: what regressed" has "$T/body" '^regressed *split.mprotect sweep '
ok "command: the other way" is "$(compare tests/golden/result/crash.json "$T/good.json" --format json)" 0
ok "command: what was fixed" has "$T/body" '"class": *"fixed"'
ok "command: a file and a name" is "$(compare "$T/good.json" "$MASTER")" 64
ok "command: no document" is "$(compare "$T/good.json" "$T/conf")" 64
ok "command: one side" is "$(compare "$T/good.json")" 64
ok "command: nothing to compare" is "$(compare "$T/good.json" tests/golden/result/empty.json)" 2
ok "branch" is "$(call GET /api/v1/branches/demo/topic)" 200
ok "agents" has <(curl -sS "$URL/api/v1/agents") agent-1
for i in 1 2 3 4 5 6; do # the builds in between, until a test comes
	claim 0
	[ "$KIND" = test ] && break
	leased POST result -H "$JSON" -d "$RESULT" >/dev/null
done
ok "a test comes" is "$KIND" test
ok "its artifacts have addresses" has "$T/body" '"url":"/api/v1/builds/[0-9]*/artifacts/bzImage"'
MISS='{"version":1,"kind":"test","status":"MISS","reason":"qemu","detail":"no qemu here"}'
ok "a FAIL needs a document" is "$(leased POST result -H "$JSON" -d "${MISS/MISS/FAIL}")" 422
ok "a miss" is "$(leased POST result -H "$JSON" -d "$MISS")" 200
claim 0
ok "release" is "$(leased POST release -H "$JSON" -d '{}')" 204
claim 0
OLD=$LEASE OLDJOB=$JOB
while [ "$STATUS" = 200 ]; do claim 0; done # nothing is left but what expires
for i in {1..10}; do
	claim 20
	[ "$JOB" = "$OLDJOB" ] && break
done
ok "expired lease comes back" is "$JOB" "$OLDJOB"
ok "claimed again" is "$STATUS" 200
ok "stale lease" is "$(JOB=$OLDJOB LEASE=$OLD leased POST result -H "$JSON" -d "$MISS")" 409
ok "stale log" is "$(JOB=$OLDJOB LEASE=$OLD leased POST 'log?offset=0' --data-binary x)" 409

echo "# framing"
H='Host: x\r\n'
ok "both lengths" is "$(raw_status "POST /api/v1/submissions HTTP/1.1\r\n${H}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n$H\r\n")" 400
ok "two lengths" is "$(raw_status "POST /api/v1/submissions HTTP/1.1\r\n${H}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd")" 400
ok "two hosts" is "$(raw_status "GET /healthz HTTP/1.1\r\n${H}Host: y\r\n\r\n")" 400
ok "no host" is "$(raw_status "GET /healthz HTTP/1.1\r\n\r\n")" 400
ok "bad length" is "$(raw_status "POST /api/v1/submissions HTTP/1.1\r\n${H}Content-Length: -1\r\n\r\n")" 400
ok "signed length" is "$(raw_status "POST /api/v1/submissions HTTP/1.1\r\n${H}Content-Length: +4\r\n\r\nabcd")" 400
ok "other coding" is "$(raw_status "POST /api/v1/submissions HTTP/1.1\r\n${H}Transfer-Encoding: gzip\r\n\r\n")" 501
ok "coding in 1.0" is "$(raw_status "POST /api/v1/submissions HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")" 400
ok "blank before the colon" is "$(raw_status "GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n")" 400
ok "one answer to a smuggled pair" is "$(raw "POST /api/v1/submissions HTTP/1.1\r\n${H}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n$H\r\n" | grep -ac ^HTTP/)" 1
MANY=$(printf 'X-%d: y\\r\\n' {1..100})
ok "too many headers" is "$(raw_status "GET /healthz HTTP/1.1\r\n$H$MANY\r\n")" 431
ok "slow headers are ended" is "$(raw 'GET /healthz HTTP/1.1\r\nX: ' >/dev/null; echo $?)" 0
trickle() { # a byte whenever nothing comes for a moment, until the server closes
	exec 7<>"/dev/tcp/127.0.0.1/$PORT"
	printf 'GET /healthz HTTP/1.1\r\nX: ' >&7
	for i in {1..40}; do
		read -r -t 0.2 <&7
		[ $? -le 128 ] && { exec 7<&- 7>&-; return 0; }
		printf 'a' >&7 2>/dev/null || { exec 7<&- 7>&-; return 0; }
	done
	exec 7<&- 7>&-
	return 1
}
ok "trickled headers are ended" trickle
ok "still there" is "$(call GET /healthz)" 200

echo "# git"
ok "clone" git clone -q "$URL/git/demo.git" "$T/clone"
git init -q "$T/shallow"
ok "fetch of a commit by its hash" git -C "$T/shallow" fetch -q --depth 1 "$URL/git/demo.git" "$(git -C "$T/repo" rev-parse topic~1)"
ok "push is refused" is "$(git -C "$T/clone" push -q origin HEAD:refs/heads/x 2>/dev/null; echo $?)" 128
ok "receive-pack is refused" is "$(call GET '/git/demo.git/info/refs?service=git-receive-pack')" 403
ok "dumb protocol is refused" is "$(call GET /git/demo.git/info/refs)" 403
ok "unknown repository" is "$(call GET '/git/none.git/info/refs?service=git-upload-pack')" 404
ok "no way out of the folder" is "$(call GET '/git/..%2f..%2fx.git/info/refs?service=git-upload-pack')" 404
commit five
ok "poll" is "$(call POST /api/v1/branches/poll -H "$(as maintainer)")" 202
ok "movement makes a submission" wait_event after=0 "\"ref\":\"topic\",\"tip\":\"$(git -C "$T/repo" rev-parse topic)\""

echo "# crash"
claim 20
for i in {1..2000}; do printf 'line %06d of a log that must not get lost\n' "$i"; done >"$T/sent"
upload() { # chunk after chunk; the acknowledged size goes to $T/acked
	local at=0 size chunk=700
	size=$(stat -c %s "$T/sent")
	while [ "$at" -lt "$size" ]; do
		tail -c "+$((at + 1))" "$T/sent" | head -c $chunk >"$T/chunk"
		curl -sS -m 10 -o "$T/ack" -X POST -H "$(as agent)" -H "Faultline-Lease: $LEASE" \
			--data-binary "@$T/chunk" "$URL/api/v1/jobs/$JOB/log?offset=$at" 2>/dev/null || return
		at=$(sed -n 's/.*"size":\([0-9]*\).*/\1/p' "$T/ack")
		[ -n "$at" ] || return
		echo "$at" >"$T/acked.new" && mv "$T/acked.new" "$T/acked"
		echo "$at"
	done
}
rm -f "$T/acked"
exec 6< <(upload)
for i in {1..20}; do read -r -t 10 _ <&6; done
stop 9
cat <&6 >/dev/null
exec 6<&-
ACKED=$(cat "$T/acked")
printf 'garbage that was never acknowledged' >>"$T/data/logs/$RUN.log"
: >"$T/data/tmp/upload.left"
start
ok "restart" is "$(call GET /readyz)" 200
curl -sS -o "$T/got" "$URL/api/v1/runs/$RUN/log"
GOT=$(stat -c %s "$T/got")
ok "every acknowledged byte is there" [ "$GOT" -ge "$ACKED" ]
ok "as it was sent" cmp "$T/got" <(head -c "$GOT" "$T/sent")
ok "uploads that were left are gone" [ ! -e "$T/data/tmp/upload.left" ]
ok "submissions are there" is "$(call GET /api/v1/submissions/2)" 200
claim 20 # the lease ran out in the meantime or another job comes
ok "work goes on" is "$STATUS" 200
ok "log goes on" is "$(leased POST 'log?offset=0' --data-binary 'again')" 200

echo "# drain"
exec 6< <(exec curl -sN -m 30 "$URL/api/v1/events")
PIDS+=($!)
ok "SIGTERM ends cleanly" stop TERM
ok "streams end with it" timeout 10 cat <&6
exec 6<&-
"$SERVER" --data "$T/data" token revoke reader-1
ok "token list" has <("$SERVER" --data "$T/data" token list) maintainer-1
ok "token add" has <("$SERVER" --data "$T/data" token add reader-2 reader) '^fl_reader_'
ok "backup" "$SERVER" --data "$T/data" backup "$T/copy.db"
ok "backup is there" [ -s "$T/copy.db" ]
printf '[server]\nlisten = 127.0.0.1:0\nnonsense = 1\n' >"$T/bad.conf"
ok "unknown key" has <("$SERVER" --config "$T/bad.conf" 2>&1) 'bad.conf:3: there is no key'
sed -i 's/^lease_seconds.*/&\npublic_read = no/' "$T/conf"
start
ok "private: no token" is "$(call GET /api/v1/branches)" 401
ok "private: probes are open" is "$(call GET /healthz)" 200
ok "private: agent reads" is "$(call GET /api/v1/branches -H "$(as agent)")" 200
ok "revoked token" is "$(call GET /api/v1/branches -H "$(as reader)")" 401
ok "SIGTERM" stop TERM

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
