#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# boot.sh KERNEL [RUNS]: how long our machines take from start to the guest's ready record, beside
# QEMU called plainly with the same kernel and initramfs; and how long a whole invocation takes to
# its first result. Alternating, median of RUNS (5), in ms. BARE_CPU (max) and BARE_APPEND vary the
# plain one. Fails when ours takes more than 1.15 times as long.
set -euo pipefail
kernel=${1:?usage: boot.sh KERNEL [RUNS]} runs=${2:-5}
build=${BUILD:-build}
work=$(mktemp -d)
qemu=
trap '[[ -z $qemu ]] || kill -9 "$qemu" 2>/dev/null || true; rm -rf "$work"' EXIT

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# Our program's cached initramfs is the one that the plain machine gets too.
ours() { # prints "boot first": start → ready as the document says it, and start → end
	local t0 out
	t0=$(now_ms)
	out=$("$build/bin/faultline" run --kernel "$kernel" --scenario split.mprotect --fault none \
		--accel tcg --jobs 1 --memory 512 --cpus 2 --format json 2>/dev/null) || true
	echo "$(sed -n 's/.*"boot_us": *\([0-9]*\).*/\1/p' <<<"$out" | head -1 |
		awk '{ print int($1 / 1000) }') $(($(now_ms) - t0))"
}

bare() { # start → the ready record
	local t0
	mkfifo "$work/in" "$work/out"
	t0=$(now_ms)
	qemu-system-x86_64 -M microvm,acpi=off,rtc=on -accel tcg,thread=multi \
		-cpu "${BARE_CPU:-max}" -smp 2 -m 512M -nodefaults -no-user-config -nic none \
		-no-reboot -display none -chardev "file,id=con,path=$work/console" \
		-serial chardev:con -device virtio-serial-device -chardev stdio,id=res,signal=off \
		-device virtserialport,chardev=res,name=faultline.0 -kernel "$kernel" \
		-initrd "$initramfs" \
		-append "console=ttyS0 panic=-1 numa=fake=2 ${BARE_APPEND:-}" \
		<>"$work/in" >"$work/out" 2>/dev/null &
	qemu=$!
	grep -m1 -q '"ready"' "$work/out"
	echo $(($(now_ms) - t0))
	kill -9 "$qemu"
	wait "$qemu" 2>/dev/null || true
	qemu=
	rm -f "$work/in" "$work/out"
}

median() { sort -n | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'; }

# The guest's file system, as the engine builds it.
guest=${FAULTLINE_GUEST:-$build/guest/init}
initramfs=$work/initramfs.cpio
root=$work/root
mkdir -p "$root"/{dev,proc,sys,tmp}
cp "$guest" "$root/init"
chmod 755 "$root/init"
(cd "$root" && find . -mindepth 1 | cpio --quiet -o -H newc) >"$initramfs"

touch "$work/ours" "$work/total" "$work/bare"
for ((i = 0; i < runs; i++)); do
	bare >>"$work/bare"
	if [[ -x $build/bin/faultline ]]; then
		read -r boot total < <(ours)
		echo "$boot" >>"$work/ours"
		echo "$total" >>"$work/total"
	fi
done
b=$(median <"$work/bare")
echo "bare QEMU, start to ready:      $b ms"
[[ -s $work/ours ]] || { echo "no $build/bin/faultline: nothing to compare"; exit 0; }
o=$(median <"$work/ours")
echo "faultline, start to ready:      $o ms"
echo "faultline, one case, all of it: $(median <"$work/total") ms"
awk -v o="$o" -v b="$b" 'BEGIN { printf "ratio %.2f (at most 1.15)\n", o / b; exit !(o <= 1.15 * b) }'
