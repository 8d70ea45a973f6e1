#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# rebuild.sh SOURCE [WORK [ROUNDS]]: what a rebuild after one changed mm/*.c costs, against plain
# make for the same change with the same flags, in alternating order (docs/running.md says what those
# for line numbers cost). SOURCE is a Linux tree in which one file is changed and put back; WORK keeps
# both build trees for the next time (the first one builds twice).
# PLAN=quick and JOBS=2 by default. Exit 1 when the median ratio is above 1.15.
set -euo pipefail
source=$(realpath "${1:?usage: rebuild.sh SOURCE [WORK [ROUNDS]]}")
cd "$(dirname "$0")/../.."
own=
[[ -n ${2:-} ]] || own=$(mktemp -d)
work=$(realpath -m "${2:-$own}")
rounds=${3:-3} plan=${PLAN:-quick} jobs=${JOBS:-2} build=${BUILD:-build}
file=$source/mm/huge_memory.c
keep=$(mktemp)
cp -p "$file" "$keep"
restore() {
	cp -p "$keep" "$file"
	rm -f "$keep"
	[[ -z $own ]] || rm -rf "$own"
}
trap restore EXIT
mkdir -p "$work"

make -s O="$build" "$build/lib/libagent.a" "$build/lib/libjobs.a" "$build/lib/liblib.a"
# shellcheck disable=SC2046
gcc -std=c11 -D_GNU_SOURCE -I. -O2 -Wall -o "$work/rebuild" tests/bench/rebuild.c \
	"$build"/lib/lib{agent,jobs,lib}.a $(pkg-config --libs json-c libsodium libcurl) -pthread

ours() { "$work/rebuild" "$work" "$source" jobs "$plan" "$jobs" 2>"$work/ours.log" | cut -d' ' -f2; }
plain() {
	local start=$EPOCHREALTIME
	KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' KBUILD_BUILD_VERSION=1 LOCALVERSION='' \
		make -C "$source" -j"$jobs" O="$work/plain" ARCH=x86_64 CC=gcc KCFLAGS=-g1 \
		KAFLAGS=-g1 bzImage \
		>"$work/plain.log" 2>&1 </dev/null
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", b - a }'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

echo "first build, faultline: $(ours) s"
mkdir -p "$work/plain"
config=$(find "$work/obj" -mindepth 2 -maxdepth 2 -name .config | head -1)
cmp -s "$config" "$work/plain/.config" || cp "$config" "$work/plain/.config"
echo "first build, plain make: $(plain) s"

a=() b=()
for ((i = 1; i <= rounds; i++)); do
	# Another content each time, so that no cache answers; both trees have to compile it.
	cp "$keep" "$file"
	printf '\nstatic const char __maybe_unused rebuild_bench[] = "%s";\n' "$EPOCHREALTIME" >>"$file"
	if ((i % 2)); then p=$(plain) f=$(ours); else f=$(ours) p=$(plain); fi
	echo "round $i: plain $p s, faultline $f s"
	a+=("$p") b+=("$f")
done
ratio=$(awk -v p="$(printf '%s\n' "${a[@]}" | median)" -v f="$(printf '%s\n' "${b[@]}" | median)" \
	'BEGIN { printf "%.3f", f / p }')
echo "median ratio $ratio (limit 1.15)"
awk -v r="$ratio" 'BEGIN { exit !(r <= 1.15) }'
