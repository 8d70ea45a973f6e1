# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# lib.sh: what the integration tests share. Source it; it makes a scratch folder ($tmp), ends what
# was started when the script ends, and counts checks. Everything runs on loopback, on free ports.

set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
root=$PWD
bin=$root/${BUILD:-build}/bin
tmp=$(mktemp -d)
passed=0 failed=0
declare -A running # name → pid

ok() { passed=$((passed + 1)); [ -z "${V:-}" ] || echo "ok   $*"; }
not_ok() { failed=$((failed + 1)); echo "FAIL $*"; }
# check DESCRIPTION COMMAND...: passes when the command succeeds.
check() { local what=$1; shift; if "$@"; then ok "$what"; else not_ok "$what"; fi; }
equal() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: got '$2', wanted '$3'"; fi; }

# Waits until the command succeeds, looking ten times a second. wait_for SECONDS COMMAND...
exec {never}<> <(:) # a descriptor that never becomes readable: read -t waits without a process
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt "$deadline" ] || return 1
		read -r -t 0.1 -u "$never" _ || true
	done
}

# start NAME COMMAND...: in the background, output in $tmp/NAME.out and $tmp/NAME.log.
start() {
	local name=$1
	shift
	: >"$tmp/$name.out" # at once: what it said the last time it was started says nothing
	"$@" >"$tmp/$name.out" 2>>"$tmp/$name.log" &
	running[$name]=$!
}
stop() { # stop NAME [SIGNAL]
	local pid=${running[$1]:-}
	[ -n "$pid" ] || return 0
	kill -"${2:-TERM}" "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	local code=$?
	unset "running[$1]"
	return $code
}
finish() {
	local name
	for name in "${!running[@]}"; do stop "$name" KILL; done
	if [ "$failed" -gt 0 ] || [ "$passed" -eq 0 ]; then
		for f in "$tmp"/*.log; do
			[ -s "$f" ] && { echo "--- ${f##*/}"; tail -n 25 "$f"; }
		done
	fi
	rm -rf "$tmp"
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# A repository $tmp/toy with a kernel that builds in a second: its image is the script that a
# stand-in for QEMU plays. Sets FAULTLINE_QEMU to that.
toy_init() {
	export FAULTLINE_QEMU=$root/${BUILD:-build}/tests/integration/fake_qemu
	git init -q -b main "$tmp/toy"
	cat >"$tmp/toy/Makefile" <<'MAKE'
KCONFIG_CONFIG ?= .config
O ?= .
tinyconfig:
	@: >$(O)/$(KCONFIG_CONFIG)
olddefconfig:
	@true
bzImage:
	@echo "  CC      mm/toy.o"
	@sh $(CURDIR)/build.sh
	@mkdir -p $(O)/arch/x86/boot $(O)/include/config
	@cp $(CURDIR)/script $(O)/arch/x86/boot/bzImage
	@echo 6.12.0-toy >$(O)/include/config/kernel.release
	@if [ -e mm/toy.S ]; then $(CC) $(KAFLAGS) -nostdlib -static -no-pie -o $(O)/vmlinux \
		$(CURDIR)/mm/toy.S; else : >$(O)/vmlinux; fi
	@echo "ffffffff81000000 T _text" >$(O)/System.map
.PHONY: tinyconfig olddefconfig bzImage
MAKE
}
toy() { git -C "$tmp/toy" -c user.name=Toy -c user.email=toy@localhost "$@"; }
# commit SUBJECT SCRIPT [BUILD]: one toy commit; prints its id.
commit() {
	printf '#fake\n# %s\n%s\n' "$1" "$2" >"$tmp/toy/script"
	printf '%s\n' "${3:-true}" >"$tmp/toy/build.sh"
	toy add -A && toy commit -q -m "$1" && toy rev-parse HEAD
}

url='' port=''
# start_server [ADDRESS:PORT]: with $tmp/server.conf; sets $url and $port.
start_server() {
	start server "$bin/faultline-server" --config "$tmp/server.conf" --listen "${1:-127.0.0.1:0}"
	wait_for 30 grep -q '^listening on ' "$tmp/server.out" || { not_ok "the server starts"; return 1; }
	url=$(sed -n 's/^listening on //p' "$tmp/server.out")
	url=${url%/}
	# shellcheck disable=SC2034 # for the scripts that start a server again at the same place
	port=${url##*:}
	export FAULTLINE_SERVER=$url
}
api() {
	curl -sS --noproxy '*' --max-time 30 "$url/api/v1/$1" "${@:2}" \
		${FAULTLINE_TOKEN_FILE:+-H "Authorization: Bearer $(cat "$FAULTLINE_TOKEN_FILE")"}
}
poll() { api branches/poll -X POST -H 'Content-Type: application/json' -d '{}' >/dev/null; }
# token NAME ROLE: its secret in $tmp/NAME.token. Before the server is started.
token() { "$bin/faultline-server" --config "$tmp/server.conf" token add "$1" "$2" >"$tmp/$1.token"; }
# start_agent [OPTION...]: needs the token "agent"; works in $work, else $tmp/agent.
start_agent() {
	start agent "$bin/faultline-agent" --server "$url" --token-file "$tmp/agent.token" \
		--work "${work:-$tmp/agent}" --name toy --accel tcg "$@"
}
# start_service [OPTION...]: server, a maintainer, who is asked as from now on, and an agent.
start_service() {
	token agent agent
	token dev maintainer
	start_server 127.0.0.1:0 || exit 1
	export FAULTLINE_TOKEN_FILE=$tmp/dev.token
	start_agent "$@"
}
# A mail server that keeps what it takes in $tmp/mail; sets $smtp to its address.
start_mail() {
	mkdir "$tmp/mail"
	start sink tests/integration/smtp_sink.py "$tmp/mail"
	wait_for 20 test -s "$tmp/sink.out" || not_ok "the mail server starts"
	# shellcheck disable=SC2034 # for configurations
	smtp=smtp://127.0.0.1:$(head -n 1 "$tmp/sink.out")
}
# The beginning of a configuration: the toy repository. Lines that follow are of [repo toy].
toy_config() {
	cat <<-CONF
		[server]
		data = $tmp/data
		lease_seconds = 10
		poll_seconds = 0

		[repo toy]
		url = $tmp/toy/.git
		local = yes
		base = main
	CONF
}
all_done() { [ "$(api 'submissions?limit=200' | jq '[.items[] | select(.state != "done")] | length')" = 0 ]; }
tip_is() { [ "$(api "branches/toy/$1" | jq -r '.tip')" = "$2" ]; }
tip_done() { tip_is "$1" "$2" && all_done; }
# push_to COMMIT BRANCH...: it becomes the tip of them all, and is tested.
push_to() {
	local sha=$1 branch
	shift
	for branch; do toy branch -f "$branch" "$sha"; done
	poll
	for branch; do
		wait_for 120 tip_done "$branch" "$sha" || not_ok "$branch was not tested"
	done
}
# The newest regression of a line of history: its member, "null" without one.
of() { api "regressions?repo=toy&ref=$1&limit=1" | jq -r ".items[0].$2 // \"null\""; }
builds() { api stats | jq '[.jobs.build[]] | add'; }
# Nothing that names the scratch folder is left running but the server.
no_strays() {
	local pid
	for pid in $(pgrep -f -- "$tmp" || true); do
		[ "$pid" = "$$" ] || [ "$pid" = "$BASHPID" ] || [ "$pid" = "${running[server]:-}" ] && continue
		case $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) in
		'' | *pgrep*) continue ;;
		esac
		return 1
	done
}
