#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The mails that report regressions, read by others: Python's mailbox and email, and git mailinfo.
# The views are those of tests/golden/report, and one full of what must not come through.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/../integration/lib.sh"

report=$root/${BUILD:-build}/tests/integration/report_doc
golden=$root/tests/golden/report
names='["Auto-Submitted","Content-Transfer-Encoding","Content-Type","Date","From","MIME-Version",'
names+='"Message-ID","Subject","To"]'

# mbox NAME KIND VIEW: $tmp/NAME.mbox and what is read from it, $tmp/NAME.json
mbox() {
	"$report" mbox "$2" "$3" >"$tmp/$1.mbox" || not_ok "$1: no mail"
	python3 "$root/tests/exchange/read_mail.py" "$tmp/$1.mbox" >"$tmp/$1.json" 2>&1 ||
		not_ok "$1: $(tail -n 1 "$tmp/$1.json")"
	equal "$1: one message" "$(wc -l <"$tmp/$1.json")" 1
	equal "$1: nothing is wrong with it" "$(get "$1" '.defects | length')" 0
	"$report" mail "$2" "$3" | git mailinfo "$tmp/$1.msg" "$tmp/$1.patch" >"$tmp/$1.info"
	equal "$1: git mailinfo takes it" "$(sed -n 's/^Email: //p' "$tmp/$1.info")" ci@example.org
}
get() { jq -r "$2" "$tmp/$1.json"; }

mbox crash new "$golden/crash.json"
equal "only the headers that belong there" "$(get crash '.names | tostring')" "$names"
equal "the subject" "$(get crash .subject)" \
	"[mm:mm-unstable] [default]  3333333333: kernel BUG in remove_migration_pte"
equal "the sender" "$(get crash .from)" "faultline <ci@example.org>"
equal "author and list" "$(get crash '.to | tostring')" \
	'[["Jane Doe","jane@example.org"],["Doe, J.","list@example.org"]]'
equal "the date" "$(get crash .date)" "2026-11-21T16:45:56+00:00"
id=$(get crash .id)
equal "the id" "$id" "<regression-12-0123456789abcdef-444444444444-report@example.org>"
"$report" text new "$golden/crash.json" >"$tmp/text"
equal "the body is the text" "$(get crash .body)" "$(cat "$tmp/text")"
equal "git mailinfo: the subject" "$(sed -n 's/^Subject: //p' "$tmp/crash.info")" \
	"3333333333: kernel BUG in remove_migration_pte"

jq '.state = "fixed" | .fixed = "5" * 40 |
	.changes += [{state: "fixed", evidence: {fails: 0, runs: 14}}]' \
	"$golden/crash.json" >"$tmp/fixed.view"
mbox fixed fixed "$tmp/fixed.view"
equal "a fix follows the report" "$(get fixed '"\(.parent) \(.references)"')" "$id $id"
equal "under its subject" "$(get fixed .subject)" "Re: $(get crash .subject)"
check "and has an id of its own" test "$(get fixed .id)" != "$id"

# --- what must not come through ---------------------------------------------------------------------
jq '("x\r\nBcc: evil@example.org\n\nbody\u001b[31m\u0001\u009b\u202eabc =?UTF-8?B?RXZpbA==?= ü") as $evil |
	.title = $evil | .repo = $evil | .ref = $evil | .config = $evil | .arch = $evil |
	.culprit_author = ($evil + " <jane@example.org>") | .commits[].subject = $evil |
	.shown.splat.excerpt = "From x\n" + $evil + "\n" + ("long " * 2000) |
	.shown.checks[1] |= (.name = $evil | .detail = $evil) | .shown.repro = $evil |
	.shown.counters[$evil] = {before: 0, after: 9, delta: 9} |
	.shown.stacks[1] = [$evil] | .shown.machine.qemu = $evil' \
	"$golden/crash.json" >"$tmp/hostile.view"
mbox hostile new "$tmp/hostile.view"
equal "hostile: no header more" "$(get hostile '.names | tostring')" "$names"
equal "hostile: long lines are encoded" "$(get hostile .encoding)" quoted-printable
equal "hostile: no line of the message is too long" \
	"$(LC_ALL=C awk 'length > 998' "$tmp/hostile.mbox" | wc -l)" 0
equal "hostile: no control, no mark that reverses" \
	"$(get hostile '[.subject, .body, .from, (.to[][])] | map(test("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]")) | any')" \
	false
check "hostile: what looks encoded stays as it was" \
	grep -qF '=?UTF-8?B?RXZpbA==?= ü' <(get hostile .subject)
"$report" text new "$tmp/hostile.view" >"$tmp/hostile.text"
equal "hostile: the body is the text" "$(get hostile .body)" "$(cat "$tmp/hostile.text")"
check "hostile: the long line is whole" grep -q "$(printf 'long %.0s' {1..1000})" "$tmp/hostile.text"
equal "hostile: nothing begins a line of its own" "$(grep -cE '^(From|Bcc)' "$tmp/hostile.text")" 0
equal "hostile: its author gets it under his address" "$(get hostile '.to[0][1]')" jane@example.org

# A short one keeps its bytes.
jq '.title = "größer" | .shown.splat.excerpt = "x"' "$golden/crash.json" >"$tmp/short.view"
mbox short new "$tmp/short.view"
equal "8bit: subject" "$(get short .subject)" "[mm:mm-unstable] [default]  3333333333: größer"
equal "8bit: body" "$(get short .encoding)" 8bit
# Two of them in one mailbox are two.
cat "$tmp/crash.mbox" "$tmp/fixed.mbox" "$tmp/hostile.mbox" >"$tmp/all.mbox"
equal "a mailbox of three" "$(python3 "$root/tests/exchange/read_mail.py" "$tmp/all.mbox" | wc -l)" 3
finish
