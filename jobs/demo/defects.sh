#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The planted defects, called by `make defects`: eleven kernels, each broken in a way of its own
# (defects/NN-name.patch), must each be found under their own name (defects/expected), and the
# kernel without them must not be accused of anything.
#
#   defects.sh [NN...]   all of it, or only the defects whose names begin so
#
#   DEFECTS_DIR=DIR      where everything is kept (default: below the build folder)
#   DEFECTS_REPEAT=N     how often the clean kernel runs the plan in each configuration (20)
#   DEFECTS_CLEAN=NAMES  in which configurations it does (default: all that the table names)
#   DEFECTS_BUILD=CMD    what is put before a command that compiles ("nice")
#   DEMO_SOURCE=FILE     the kernel package (default: /usr/src/linux-source-6.12.tar.xz)
#
# Each defect: the patch is applied to one tree, the configuration's one build tree follows with
# what changed, the whole plan `full` runs, the patch is taken back. What is kept is used again
# unless what it was made from has changed: interrupted, it goes on where it was. The time is that
# of the whole plan, from the first boot to the verdict, kernel given.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

root=$PWD
bin=$root/${BUILD:-build}/bin
init=$root/${BUILD:-build}/guest/init
here=$root/jobs/demo/defects
dir=${DEFECTS_DIR:-$root/${BUILD:-build}/defects}
source=${DEMO_SOURCE:-/usr/src/linux-source-6.12.tar.xz}
repeat=${DEFECTS_REPEAT:-20}
branch=lazy-pgtable-checked
seeds=(2 3 5 8)
passed=0 failed=0
read -r -a before_build <<<"${DEFECTS_BUILD:-}"

say() { echo "defects: $*" >&2; }
die() { say "$*"; exit 2; }
ok() { passed=$((passed + 1)); }
not_ok() { failed=$((failed + 1)); echo "FAIL $*"; }

mkdir -p "$dir/images" "$dir/results" || exit 2
jobs/demo/import.sh "$source" "$dir/demo.git" "$bin/tar_fast_import" || exit 2
tip=$(git -C "$dir/demo.git" rev-parse "$branch")
if [ "$(git -C "$dir/src" rev-parse HEAD 2>/dev/null)" != "$tip" ]; then
	rm -rf "$dir/src"
	git -C "$dir/demo.git" worktree prune
	git -C "$dir/demo.git" worktree add -q --detach "$dir/src" "$tip" || exit 2
fi
# Only the files that differ are written, so that make compiles no others.
unpatch() { git -C "$dir/src" checkout -q -f "$tip" && git -C "$dir/src" clean -q -f -d; }
trap unpatch EXIT

# rows: patch config scenario fault reason seeded, one line each
rows() { grep -v '^#' "$here/expected" | awk 'NF { print $1, $2, $3, $4, $5, $6 }'; }
wanted() { # NAME is among the arguments (none: every name is)
	local name=$1 prefix
	[ ${#only[@]} -gt 0 ] || return 0
	for prefix in "${only[@]}"; do [[ $name != "$prefix"* ]] || return 0; done
	return 1
}
only=("$@")

# What an image and what its results are made from.
image_stamp() { # PATCH CONFIG
	{ echo "$tip $2"; cat "$root"/jobs/kconfig/*.config; [ "$1" = clean ] || cat "$here/$1.patch"; } |
		sha256sum | cut -d' ' -f1
}
result_stamp() { { image_stamp "$1" "$2"; cat "$root/jobs/plans/full.json" "$init" "$bin/faultline"; } |
	sha256sum | cut -d' ' -f1; }
up_to_date() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; } # STAMP-FILE STAMP

# build PATCH CONFIG: $dir/images/PATCH-CONFIG/ holds the kernel.
build() {
	local out=$dir/images/$1-$2 obj=$dir/work/obj/$2 stamp
	stamp=$(image_stamp "$1" "$2")
	up_to_date "$out/stamp" "$stamp" && return 0
	unpatch || return 1
	[ "$1" = clean ] || git -C "$dir/src" apply "$here/$1.patch" || return 1
	rm -f "$obj/arch/x86/boot/bzImage"
	say "building $1 in the configuration $2"
	# One control boots what was built; its verdict is not the point here.
	"${before_build[@]}" "$bin/faultline" run "$dir/src" --plan full --config "$2" \
		--work "$dir/work" -s control.nosplit -f none >"$dir/build.out" 2>"$dir/build.log"
	unpatch
	[ -s "$obj/arch/x86/boot/bzImage" ] || { tail -n 20 "$dir/build.log" >&2; return 1; }
	mkdir -p "$out"
	cp "$obj/arch/x86/boot/bzImage" "$obj/System.map" "$out/"
	echo "$stamp" >"$out/stamp"
}

# run RESULT PATCH CONFIG ARGUMENTS...: $dir/results/RESULT.json, and how long it took.
run() {
	local out=$dir/results/$1 image=$dir/images/$2-$3 stamp begin
	stamp="$(result_stamp "$2" "$3") ${*:4}"
	up_to_date "$out.stamp" "$stamp" && return 0
	begin=$SECONDS
	"$bin/faultline" run --kernel "$image/bzImage" --symbols "$image/System.map" --plan full \
		--work "$dir/work" --format json "${@:4}" >"$out.part" 2>"$out.log"
	jq -e '.results | length > 0' "$out.part" >/dev/null 2>&1 ||
		{ tail -n 5 "$out.log" >&2; return 1; }
	mv "$out.part" "$out.json"
	echo $((SECONDS - begin)) >"$out.seconds"
	echo "$stamp" >"$out.stamp"
}
# Failing points, or what `jq` makes of them. FILE FILTER
failures() { jq -r "[.results[] | select(.status == \"FAIL\" and (.closing | not))] | $2" "$1"; }

line() { printf '%-26s | %-9s | %-7s | %-22s | %-45s | %s\n' "$@"; }

# defect PATCH CONFIG SCENARIO FAULT REASON: one line of the table; found under the right reason?
defect() {
	local out=$dir/results/$1-$2 reason reasons by verdict=PASS
	if ! build "$1" "$2" || ! run "$1-$2" "$1" "$2"; then
		line "$1" "$2" - - "could not be built or run" -
		return 1
	fi
	# The reason that most of the failing points have; a broken kernel also fails in other ways.
	reasons=$(failures "$out.json" 'group_by(.reason) | sort_by(-length) |
		map("\(.[0].reason) \(length)") | join(", ")')
	reason=${reasons%% *}
	by=$(failures "$out.json" 'map(.case + " " + .fault.mode) | unique |
		if length > 1 then "\(length) cases" else (.[0] // "-") end')
	[ -z "$reasons" ] || verdict=FAIL
	if [ "$(failures "$out.json" "any(.[]; .case == \"$3\" and
		.fault.mode == \"$4\" and .reason == \"$5\")")" = true ]; then
		[ "$by" = "$3 $4" ] || by="$3 $4, $by"
	else
		by="not by $3 $4: $by"
		verdict=missed
	fi
	line "$1" "$2" "$verdict" "${reasons:--}" "$by" "$(cat "$out.seconds") s"
	[ "$verdict" = FAIL ] && [ "$reason" = "$5" ]
}

table() {
	local patch config scenario fault reason _ found=0 all=0
	local -A good=()
	line defect config verdict reason "found by" "time to find"
	while read -r patch config scenario fault reason _; do
		wanted "$patch" || continue
		[ -n "${good[$patch]:-}" ] || good[$patch]=yes
		defect "$patch" "$config" "$scenario" "$fault" "$reason" || good[$patch]=no
	done < <(rows)
	for patch in "${!good[@]}"; do
		all=$((all + 1))
		if [ "${good[$patch]}" = yes ]; then found=$((found + 1)); ok; else not_ok "$patch"; fi
	done
	echo "$found of $all found under the right reason"
}

# Every repeat is a run of its own, so that an interrupted night is not lost.
clean() {
	local config i alarms=0 others=0 n
	for config in ${DEFECTS_CLEAN:-$(rows | awk '{ print $2 }' | sort -u)}; do
		build clean "$config" || { not_ok "clean kernel, $config: not built"; continue; }
		for ((i = 1; i <= repeat; i++)); do
			run "clean-$config-$i" clean "$config" ||
				{ not_ok "clean kernel, $config, run $i: no results"; continue; }
			n=$(failures "$dir/results/clean-$config-$i.json" length)
			[ "$n" = 0 ] || failures "$dir/results/clean-$config-$i.json" \
				'.[] | "  \(.case) \(.fault.mode): \(.reason): \(.detail)"'
			alarms=$((alarms + n))
			others=$((others + $(jq '[.results[] | select(.status == "ERROR" or .status == "MISS")] |
				length' "$dir/results/clean-$config-$i.json")))
		done
		say "clean kernel, $config: $repeat runs"
	done
	if [ "$alarms" = 0 ]; then ok; else not_ok "the clean kernel was accused"; fi
	if [ "$others" = 0 ]; then ok; else not_ok "$others results of the clean kernel are ERROR or MISS"; fi
	echo "$alarms false alarms in $repeat repeats"
}

verdicts() { jq -r '.results[] | [.case, .fault.mode, .fault.seed, .repeat, .status, .reason] | @tsv' "$1" |
	sort; }

# What is drawn by a seed must come out the same twice.
seeded() {
	local patch config seeded faults=() seed i changed=0 n
	for seed in "${seeds[@]}"; do faults+=(-f "mode=probability,probability=50,seed=$seed"); done
	while read -r patch config _ _ _ seeded; do
		if [ "$seeded" != yes ] || ! wanted "$patch"; then continue; fi
		build "$patch" "$config" || continue
		for i in 1 2; do
			run "$patch-$config-seeded-$i" "$patch" "$config" -s 'split.m*' "${faults[@]}" ||
				{ not_ok "$patch: no results with a seed"; continue 2; }
		done
		n=$(diff <(verdicts "$dir/results/$patch-$config-seeded-1.json") \
			<(verdicts "$dir/results/$patch-$config-seeded-2.json") | grep -c '^>')
		[ "$(failures "$dir/results/$patch-$config-seeded-1.json" length)" != 0 ] ||
			not_ok "$patch: no seed draws it"
		changed=$((changed + n))
	done < <(rows)
	if [ "$changed" = 0 ]; then ok; else not_ok "verdicts changed between runs with one seed"; fi
	echo "$changed verdicts changed"
}

table
[ "$repeat" = 0 ] || clean
seeded
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
