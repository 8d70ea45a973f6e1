#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# failcmd.sh KERNEL TREE [ROUNDS]: how many failing allocations a second are tried and proven, ours
# beside a shell loop over the kernel's own tools/testing/fault-injection/failcmd.sh, both in one
# machine at a time of the same kernel, memory, CPUs and accelerator, with the same operation (mprotect
# of one page of a THP) and the same stack filter. A case is one run of the operation under one fault, with
# its checks; an injection is a case of which the log or the guest's count proves that the fault was
# hit. KERNEL must allocate page tables at split time. OURS="snapshot:1 shared:1 …" picks ours: a
# restored machine for every injection, or one machine for as many as it survives, and so many
# machines at once (default: one, and as many as CPUs).
#
# Twice each: with a boot (start of the program to its end) and in a machine that is up already, which
# is the difference between a long and a short run. Medians of ROUNDS (3).
set -euo pipefail
kernel=${1:?usage: failcmd.sh KERNEL TREE [ROUNDS]} tree=${2:?usage: failcmd.sh KERNEL TREE [ROUNDS]}
rounds=${3:-3}
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
bare_count=${BARE_COUNT:-20} our_count=${OUR_COUNT:-100}
read -r -a kinds <<<"${OURS:-snapshot:1 shared:1 snapshot:$(nproc) shared:$(nproc)}"
work=$(mktemp -d)
qemu=
trap '[[ -z $qemu ]] || kill -9 "$qemu" 2>/dev/null || true; rm -rf "$work"' EXIT
now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)] }'; }

# ---- the bare machine: bash, busybox, failcmd.sh, the command, the loop ------------------------
for f in /bin/bash-static /bin/busybox "$tree/tools/testing/fault-injection/failcmd.sh"; do
	[[ -r $f ]] || { echo "there is no $f" >&2; exit 2; }
done
root=$work/root
mkdir -p "$root"/{bin,dev,proc,sys,tmp}
cp /bin/bash-static "$root/bin/bash"
cp /bin/busybox "$root/bin/busybox"
for applet in mount awk cat dmesg getopt head reboot; do ln -s busybox "$root/bin/$applet"; done
cp "$tree/tools/testing/fault-injection/failcmd.sh" "$root/failcmd.sh"
cp tests/bench/failcmd_loop.sh "$root/loop.sh"
"${CC:-gcc}" -std=c11 -D_GNU_SOURCE -O2 -static -o "$root/split_once" tests/bench/split_once.c
initramfs=$work/initramfs.cpio
(cd "$root" && find . -mindepth 1 | cpio --quiet -o -H newc) >"$initramfs"

# As in agent/qemu.c.
parameters="console=ttyS0 loglevel=8 printk.devkmsg=on panic=-1 oops=panic reboot=t numa=fake=2"
parameters+=" no_timer_check tsc=reliable nokaslr random.trust_cpu=on"

bare() { # COUNT: prints "cases injections seconds_up wall_ms"
	local t0
	t0=$(now_ms)
	timeout -k 5 "${BARE_TIMEOUT:-120}" qemu-system-x86_64 -M microvm,acpi=off,rtc=on -accel tcg,thread=multi \
		-cpu max -smp 2 -m 512M -nodefaults -no-user-config -nic none -no-reboot -display none \
		-chardev "file,id=con,path=$work/console" -serial chardev:con \
		-device virtio-serial-device -chardev "file,id=res,path=$work/out" \
		-device virtserialport,chardev=res,name=bench -kernel "$kernel" -initrd "$initramfs" \
		-append "$parameters rdinit=/split_once BENCH_COUNT=$1" \
		</dev/null >&2 &
	qemu=$!
	wait "$qemu" || true
	qemu=
	grep '^ready' "$work/out" >&2 || true
	awk -v wall=$(($(now_ms) - t0)) '
		/^done / { for (i = 2; i <= NF; i++) { split($i, a, "="); v[a[1]] = a[2] }
			print > "/dev/stderr"
			printf "%d %d %.2f %d\n", v["iterations"] - v["wrong"], v["proven"],
				v["to"] - v["from"], wall }' "$work/out"
}

# ---- ours ----------------------------------------------------------------------------------------
ours() { # REPEATS ISOLATION:JOBS: prints "cases injections wall_ms restore_ms", the last one - or a number
	local t0 wall doc=$work/doc.json
	t0=$(now_ms)
	"$build/bin/faultline" run --kernel "$kernel" --scenario split.mprotect \
		--fault mode=nth,nth=1,site=__split_huge_pmd \
		--repeat "$1" --accel tcg --jobs "${2#*:}" --memory 512 --cpus 2 --format json \
		--isolation "${2%:*}" --work "$work/faultline" >"$doc" 2>"$work/ours.err" ||
		(($? == 1)) || { cat "$work/ours.err" >&2; exit 2; }
	wall=$(($(now_ms) - t0))
	jq -r --argjson wall "$wall" '[.results[] | select(.closing != true)] |
		"\(length) \(map(select(.injected.on_target > 0)) | length) \($wall)"' "$doc" |
		tr '\n' ' '
	jq -r '.machine.result_us / 1000 | floor' "$doc"
}

# A rate a second from a count and milliseconds.
rate() { awk -v n="$1" -v ms="$2" 'BEGIN { printf "%.2f\n", (ms ? n * 1000 / ms : 0) }'; }

for ((i = 0; i < rounds; i++)); do
	read -r cases injections seconds wall < <(bare "$bare_count") || true
	[[ -n ${wall:-} ]] || { echo "the bare machine did not finish; its console ends:" >&2
		tail -5 "$work/console" >&2; exit 2; }
	ms=$(awk -v s="$seconds" 'BEGIN { print s * 1000 }')
	rate "$cases" "$ms" >>"$work/bare.cases"
	rate "$injections" "$ms" >>"$work/bare.injections"
	rate "$cases" "$wall" >>"$work/bare.boot"
	for kind in "${kinds[@]}"; do
		read -r one_cases one_injections one_wall _ < <(ours 1 "$kind") || true
		read -r cases injections wall restore < <(ours "$our_count" "$kind") || true
		[[ -n ${restore:-} && -n ${one_wall:-} ]] || exit 2
		echo "ours $kind: $cases cases, $injections injections in $wall ms;" \
			"$one_cases in $one_wall ms" >&2
		rate $((cases - one_cases)) $((wall - one_wall)) >>"$work/$kind.cases"
		rate $((injections - one_injections)) $((wall - one_wall)) >>"$work/$kind.injections"
		rate "$cases" "$wall" >>"$work/$kind.boot"
		echo "$restore" >>"$work/$kind.restore"
	done
done

for kind in "${kinds[@]}"; do
	for what in cases injections boot; do
		bare=$(median <"$work/bare.$what") our=$(median <"$work/$kind.$what")
		awk -v i="$kind" -v w="$what" -v b="$bare" -v o="$our" 'BEGIN {
			printf "%s %s: ours %.2f bare %.2f ratio %.1f\n", i, w, o, b, (b ? o / b : 0) }'
	done
	[[ $kind == shared:* ]] ||
		echo "$kind restore to result: $(median <"$work/$kind.restore") ms"
done
