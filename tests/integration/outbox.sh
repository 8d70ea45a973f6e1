#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What leaves the server to tell of regressions: mails and hooks, once each, whatever the other side
# does, and whenever the server dies. A real mail server and a real HTTP listener stand for the others.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

toy_init
works=$'ready\nserve 1'
dies() { printf 'ready\ndie split.mprotect 1 %s\nserve 1' "$1"; }
commit "mm: all is well" "$works" >/dev/null
hooks=(ok busy gone redirect rude huge cut slow)
stages=(rcpt data message quit)
for branch in "${hooks[@]}" nobody late "${stages[@]}" down; do toy branch "$branch"; done

start_mail
mkdir "$tmp/hook"
echo "a secret of ours" >"$tmp/secret"
start listener tests/integration/hook_sink.py "$tmp/hook" "a secret of ours"
wait_for 20 test -s "$tmp/listener.out" || not_ok "the listener starts"
listener=http://127.0.0.1:$(head -n 1 "$tmp/listener.out")
{
	toy_config
	for hook in "${hooks[@]}"; do echo "branch = $hook base=main plan=quick hook=$listener/$hook"; done
	echo "branch = nobody base=main plan=quick hook=http://127.0.0.1:1/"
	for stage in "${stages[@]}" late down; do
		echo "branch = $stage base=main plan=quick mail=$stage@example.org"
	done
	cat <<CONF

[report]
from = Toy CI <ci@example.org>
retry_seconds = 1

[hook]
secret_file = $tmp/secret
timeout_seconds = 2

[mail]
smtp = $smtp
CONF
} >"$tmp/server.conf"
token root admin
start_service --slots 2

admin() { FAULTLINE_TOKEN_FILE=$tmp/root.token api "$@"; }
# told RECIPIENT FIELD: of the newest message to it.
told() { admin "outbox?limit=500" | jq -r --arg r "$1" "[.items[] | select(.recipient == \$r)][0].$2"; }
state_is() { [ "$(told "$1" state)" = "$2" ]; }
calls() { cat "$tmp"/hook/*.json 2>/dev/null | jq -s --arg p "/$1" '[.[] | select(.path == $p)] | length'; }
mails() { grep -lxi "RCPT TO:<$1@example.org>" "$tmp"/mail/*.envelope 2>/dev/null | wc -l; }
id_of() { api "regressions?repo=toy&ref=$1&limit=1" | jq '.items[0].id'; }

push_to "$(toy rev-parse main)" ok

# --- hooks: whatever the listener does ----------------------------------------------------------------
toy checkout -q -b crash main
crash=$(commit "mm: break it" "$(dies crash_here)")
push_to "$crash" "${hooks[@]}" nobody
for expected in ok:sent busy:sent gone:refused redirect:refused rude:sent huge:sent cut:doubtful slow:doubtful; do
	check "a hook that is ${expected%:*} ends ${expected#*:}" wait_for 60 state_is "$listener/${expected%:*}" "${expected#*:}"
done
equal "each was called as often as it had to be" "$(for hook in "${hooks[@]}"; do calls "$hook"; done | paste -sd ' ')" \
	"1 3 1 1 2 1 1 1"
equal "a redirection is not followed" "$(calls elsewhere)" 0
equal "what it said is kept" "$(told "$listener/gone" message)" "$listener/gone: HTTP 410"
records=$(cat "$tmp"/hook/*.json | jq -s .)
equal "every body is signed, and by nobody else" "$(jq -c '[.[] | [.valid, .forged]] | unique' <<<"$records")" "[[true,false]]"
equal "it is JSON of a report" "$(jq -c '[.[] | [.event, .type]] | unique' <<<"$records")" '[["report","application/json"]]'
equal "an attempt at the same message has the same number" \
	"$(jq -c '[.[] | select(.path == "/busy") | .delivery] | unique | length' <<<"$records")" 1
equal "different messages have different ones" "$(jq 'group_by(.path) | map(.[0].delivery) | unique | length' <<<"$records")" 8
equal "each later attempt waits longer" "$(jq -c '[.[] | select(.path == "/busy") | .at] | sort |
	[.[1] - .[0] >= 0.9, .[2] - .[1] >= 1.9]' <<<"$records")" "[true,true]"
wait_for 10 test -s "$tmp/hook/huge"
check "of an endless answer little is read" test "$(cat "$tmp/hook/huge")" -lt $((16 << 20))
equal "where nobody listens it waits on" "$(told http://127.0.0.1:1/ state)" waiting
check "and is tried again" wait_for 20 eval '[ "$(told http://127.0.0.1:1/ attempts)" -ge 2 ]'

# --- the end is told to whom the beginning was ----------------------------------------------------------
fix=$(commit "mm: mend it" "$works")
push_to "$fix" ok gone
check "it is fixed" wait_for 60 eval '[ "$(api "regressions/$(id_of ok)" | jq -r .state)" = fixed ]'
check "which the hook is told" wait_for 60 eval '[ "$(calls ok)" = 2 ]'
equal "as such" "$(cat "$tmp"/hook/*.json | jq -s -c 'sort_by(.at) | [.[] | select(.path == "/ok") | .event]')" '["report","fixed"]'
equal "who refused the first is not told" "$(calls gone)" 1

# --- who may look ---------------------------------------------------------------------------------------
code() { curl -sS --noproxy '*' -o "$tmp/body" -w '%{http_code}' "$url/$1" "${@:2}"; }
equal "without a token" "$(code api/v1/outbox)" 401
equal "a maintainer" "$(code api/v1/outbox -H "Authorization: Bearer $(cat "$tmp/dev.token")")" 403
equal "an administrator's page" "$(code outbox -H "Authorization: Bearer $(cat "$tmp/root.token")" -H 'Accept: text/html')" 200
check "has the addresses" grep -qF "$listener/cut" "$tmp/body"
equal "by state" "$(code 'outbox?state=doubtful' -H "Authorization: Bearer $(cat "$tmp/root.token")" -H 'Accept: text/html')" 200
check "has those" grep -qF "$listener/cut" "$tmp/body"
check "and no others" eval '! grep -qF "$listener/gone" "$tmp/body"'
equal "a state that is none" "$(code 'api/v1/outbox?state=x' -H "Authorization: Bearer $(cat "$tmp/root.token")")" 400
equal "page by page" "$(for ((c = 0; c < 20; c++)); do
	admin "outbox?limit=3${next:+&cursor=$next}" >"$tmp/page"
	jq '.items[].id' "$tmp/page"
	next=$(jq -r '.next // empty' "$tmp/page")
	[ -n "$next" ] || break
done)" "$(admin 'outbox?limit=500' | jq '.items[].id')"
equal "as csv" "$(admin 'outbox.csv?limit=500' | head -n 1 | cut -d, -f1-5)" id,state,kind,channel,recipient
equal "a regression says that it is doubtful" "$(code "regressions/$(id_of cut)" -H 'Accept: text/html'; grep -c 'may have arrived' "$tmp/body")" 2001
check "and to whom to nobody" eval '! grep -qF "$listener" "$tmp/body"'
equal "in the API too" "$(api "regressions/$(id_of cut)" | jq -c '.told | map([.kind, .channel, .state])')" '[["report","hook","doubtful"]]'
equal "and the numbers" "$(curl -sS --noproxy '*' "$url/metrics" | sed -n 's/^faultline_outbox_messages{state="doubtful"} //p')" \
	"$(admin 'outbox?state=doubtful' | jq '.items | length')"

# --- a mail server that says "later" -----------------------------------------------------------------------
touch "$tmp/mail/later"
push_to "$crash" late
check "it is tried again" wait_for 60 eval '[ "$(told late@example.org attempts)" -ge 2 ]'
equal "and waits" "$(told late@example.org state)" waiting
rm "$tmp/mail/later"
check "until it is taken" wait_for 60 state_is late@example.org sent
equal "once" "$(mails late)" 1

# --- the server dies in the middle of a mail ---------------------------------------------------------------
die_at() { # STAGE
	local to=$1@example.org
	echo "$1" >"$tmp/mail/hold"
	push_to "$crash" "$1"
	wait_for 60 test -e "$tmp/mail/held" || not_ok "the dialogue does not come to $1"
	stop server KILL
	rm "$tmp/mail/hold"
	wait_for 20 eval '[ ! -e "$tmp/mail/held" ]'
	start_server "127.0.0.1:$port" || exit 1
	wait_for 60 eval 'state_is "$to" sent || state_is "$to" doubtful' || not_ok "$to: neither sent nor doubtful"
}
for stage in rcpt data; do
	die_at "$stage"
	equal "nothing had left at $stage: it is sent" "$(told "$stage@example.org" state)" sent
	equal "nothing had left at $stage: once" "$(mails "$stage")" 1
done
die_at message
equal "it had left: nobody knows" "$(told message@example.org state)" doubtful
equal "it had left: not again" "$(mails message)" 1
equal "it had left: which the log says" "$(grep -c "outbox-doubtful messages=1" "$tmp/server.log")" 1
# the server may have had the time to write down that it was taken
die_at quit
check "it was taken: not to be sent again" eval 'state_is quit@example.org sent || state_is quit@example.org doubtful'
equal "it was taken: not again" "$(mails quit)" 1

# --- it is stopped in the middle of one --------------------------------------------------------------------
echo message >"$tmp/mail/hold"
push_to "$crash" down
wait_for 60 test -e "$tmp/mail/held" || not_ok "the dialogue does not come to its message"
began=$SECONDS
stop server TERM
check "stopped in the middle: that does not take long" test $((SECONDS - began)) -lt 15
rm "$tmp/mail/hold"
start_server "127.0.0.1:$port" || exit 1
equal "stopped in the middle: nobody knows" "$(told down@example.org state)" doubtful
equal "stopped in the middle: not again" "$(mails down)" 1
# everything that could still come has had its time: what waits is only for nobody
check "nothing else waits" wait_for 20 eval '[ "$(admin "outbox?state=waiting" | jq -r "[.items[].recipient] | unique[]")" = \
	http://127.0.0.1:1/ ]'
equal "no mail came twice" "$(cat "$tmp"/mail/*.envelope | grep -i '^RCPT' | sort | uniq -d)" ""
touch "$tmp/hook/release"
stop agent TERM
stop server TERM
finish
