#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Regressions about which nothing can be learned any more do not stay open for ever: their branch is
# gone, is not followed, was rewritten, or nobody runs their case. Each says why; nobody is told.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"

toy_init
works=$'ready\nserve 1'
dies() { printf 'ready\ndie split.mprotect 1 %s\nserve 1' "$1"; }
commit "mm: all is well" "$works" >/dev/null
branches=(kept gone dropped rewritten rebased broken mended)
for branch in "${branches[@]}"; do toy branch "$branch"; done

start_mail
config() { # BRANCH…: that are followed
	toy_config
	for branch; do echo "branch = $branch base=main plan=quick mail=$branch@example.org"; done
	printf '\n[mail]\nsmtp = %s\n' "$smtp"
}
config "${branches[@]}" >"$tmp/server.conf"
start_service --slots 2

state_is() { [ "$(of "$1" state)" = "$2" ]; }
why() { api "regressions/$(of "$1" id)" | jq -r '.changes[-1] | "\(.state): \(.evidence.why)"'; }
submit() { "$bin/faultline" submit --git toy --base main --wait "$@" >>"$tmp/submit.out" 2>&1; }

push_to "$(toy rev-parse main)" "${branches[@]}"
toy checkout -q -b work main
push_to "$(commit "mm: break it" "$(dies crash_here)")" kept gone dropped rewritten rebased
toy checkout -q -b work-broken main
push_to "$(commit "mm: does not build" "$works" 'echo "mm/x.c:1:1: error: no" >&2; exit 2')" broken mended
for branch in "${branches[@]}"; do
	check "$branch has a regression" wait_for 60 state_is "$branch" bisected
done
mails() { find "$tmp/mail" -name '*.eml' | wc -l; }
check "each is told of" wait_for 60 eval '[ "$(mails)" = 7 ]'

# --- the branch is gone ---------------------------------------------------------------------------------
toy branch -D gone >/dev/null
poll
check "a branch that is gone" wait_for 60 state_is gone stale
equal "is why" "$(why gone)" "stale: the repository has no such branch any more"
check "since when is known" eval '[[ $(api "regressions/$(of gone id)" | jq -r ".changes[-1].evidence.since") == 20*Z ]]'

# --- it is rewritten: without the commit, and with another one that does the same ------------------------
toy checkout -q -b work-other main
other=$(commit "mm: something else" "$works")
push_to "$other" rewritten broken
check "a branch without the commit" wait_for 60 state_is rewritten stale
equal "was rewritten" "$(why rewritten)" \
	"stale: history was rewritten: the commit that brought it is not in it any more, and it does not happen"
equal "nothing mended it" "$(of rewritten fixed)" null
check "a build too" wait_for 60 state_is broken stale
toy checkout -q -b work-rebased main
commit "mm: something else" "$works" >/dev/null
before=$(api "regressions" | jq '.items | length')
push_to "$(commit "mm: break it, again" "$(dies crash_here)")" rebased
equal "a rebased branch that fails as before" "$(of rebased state)" bisected
equal "has no regression more" "$(api "regressions" | jq '.items | length')" "$before"

# --- while a kernel that builds again, by a commit on top, was mended -------------------------------------
toy checkout -q work-broken
fix=$(commit "mm: builds again" "$works")
push_to "$fix" mended
check "a build that a commit mended" wait_for 60 state_is mended fixed
equal "by that" "$(of mended fixed)" "$fix"
check "which is told" wait_for 60 eval '[ "$(mails)" = 8 ]'

# --- it is not followed any more -------------------------------------------------------------------------
stop server TERM
config kept gone rewritten rebased broken mended >"$tmp/server.conf"
start_server "127.0.0.1:$port" || exit 1
check "a branch that is not followed" wait_for 60 state_is dropped stale
equal "is why" "$(why dropped)" "stale: the branch is not followed any more"
equal "the others are" "$(of kept state) $(of rebased state)" "bisected bisected"
equal "its badge knows nothing" \
	"$(curl -sS --noproxy '*' "$url/badge/toy/dropped.svg" | xmllint --xpath 'string(//*[local-name()="text"][2])' -)" unknown

# --- nobody runs its case --------------------------------------------------------------------------------
for _ in 1 2; do submit --ref kept --plan metrics; done
wait_for 60 all_done
wait_for 20 eval '[ "$(grep -c submission-compared "$tmp/server.log")" -ge "$(api "submissions?limit=200" | jq ".items | length")" ]'
equal "twice without its case is no reason" "$(of kept state)" bisected
submit --ref kept --plan metrics
check "three times is" wait_for 60 state_is kept stale
equal "why" "$(why kept)" "stale: the newest submissions do not run its case any more"
equal "it is not fixed" "$(of kept fixed)" null
equal "nobody is told of an end that is none" "$(mails)" 8
equal "one is open" "$(api 'regressions?state=open' | jq -c '[.items[].ref]')" '["rebased"]'
stop agent TERM
stop server TERM
finish
