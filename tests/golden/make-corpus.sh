#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# make-corpus.sh: makes tests/golden/console/real again: builds the kernels of tests/golden/kernels
# from TREE, boots each of them once for every defect, and keeps what its console said about it.
# KERNEL-os and KERNEL-o2 differ in the optimisation level of the code that holds the defects.
#
#   make-corpus.sh build TREE WORK [KERNEL...]      TREE has kernels/0001-*.patch applied
#   make-corpus.sh boot WORK [KERNEL[/DEFECT]...]   writes the logs
#
# WORK takes a build folder and an image for each kernel. $CC, $JOBS (2), $QEMU, $ACCEL (tcg).
# What is found in the logs is written by: UPDATE_GOLDEN=1 build/tests/unit/test_splat; read it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$here/console/real
jobs=${JOBS:-2} cc=${CC:-gcc} qemu=${QEMU:-qemu-system-x86_64} accel=${ACCEL:-tcg,thread=multi}
cut_lines=200

# A kernel and its fragments.
declare -A fragments=(
	[plain]='corpus plain' [memory]='corpus memory' [race]='corpus race'
)
# What is done to it.
plain='warn warn_text bug panic null_read null_write paging gpf exec_null divide balance
	balance_null kfence_uaf kfence_oob redzone poison refcount_underflow refcount_resurrect list_del list_add memleak soft_lockup
	rcu_stall hard_lockup hung_task work stack_overflow stack_corrupt double_fault bad_page bad_rss
	bad_pgtables oom two_cpus'
memory='uaf_read uaf_write oob_read double_free invalid_free global_oob stack_oob vmalloc_oob
	gpf shift bounds bool lock_order lock_recursive lock_irq unlock held_freed rcu_usage
	wait_context static_key sleep_atomic schedule_atomic two_cpus'
declare -A defects=(
	[plain-os]="$plain no_root kill_init" [plain-o2]=${plain/hard_lockup/}
	[memory-os]=$memory [memory-o2]=$memory
	[race-os]=race
)
# What some of them need on the kernel's command line.
declare -A parameters=(
	[soft_lockup]='watchdog_thresh=2 rcupdate.rcu_cpu_stall_suppress=1'
	[hard_lockup]='watchdog_thresh=2 rcupdate.rcu_cpu_stall_suppress=1'
	[rcu_stall]=nosoftlockup [redzone]='slab_debug=FZPU kfence.sample_interval=0'
	[poison]='slab_debug=FZPU kfence.sample_interval=0' [memleak]=kmemleak.verbose=1
	[kill_init]=corpus_exit
)

build() { # build TREE WORK KERNEL: both levels; the second one compiles a single file again
	local tree=$1 o=$2/$3 f level
	[[ -f $tree/lib/faultline_break.c ]] || { echo "$tree: apply $here/kernels/0001-*.patch" >&2; exit 1; }
	mkdir -p "$o"
	make -s -C "$tree" O="$o" CC="$cc" tinyconfig
	for f in ${fragments[$3]}; do cat "$here/kernels/$f.config"; done >>"$o/.config"
	make -s -C "$tree" O="$o" CC="$cc" olddefconfig
	for level in s 2; do
		make -s -C "$tree" O="$o" CC="$cc" -j"$jobs" BREAK_CFLAGS=-O$level bzImage
		cp "$o/arch/x86/boot/bzImage" "$2/$3-o$level.bzImage"
	done
}

initramfs() { # initramfs WORK
	${GUEST_CC:-musl-gcc} -static -Os -idirafter /usr/include -o "$1/init" "$here/kernels/init.c"
	mkdir -p "$1/root/dev" "$1/root/sys"
	cp "$1/init" "$1/root/init"
	(cd "$1/root" && find . | cpio -o -H newc --quiet) >"$1/initramfs"
}

boot() { # boot WORK KERNEL DEFECT: the whole console goes to stdout
	local initrd=(-initrd "$1/initramfs")
	[[ $3 == no_root ]] && initrd=()
	timeout 120 "$qemu" -nodefaults -no-user-config -nic none -no-reboot -display none \
		-M microvm,acpi=off,rtc=on,pit=on,pic=on,isa-serial=on -accel "$accel" -cpu Nehalem \
		-smp 2 -m 512M -serial stdio -kernel "$1/$2.bzImage" "${initrd[@]}" -append \
		"console=ttyS0 loglevel=8 panic=-1 oops=panic reboot=t no_timer_check tsc=reliable nokaslr \
faultline_break=$3 ${parameters[$3]:-}" </dev/null 2>/dev/null || true
}

# The defect's own lines: booting before it and the end of the machine behind it say nothing.
cut_log() { # cut_log DEFECT
	case $1 in
	no_root | kill_init) tail -n 25 ;;
	memleak) sed -n '/faultline_break: /,$p' | sed '/Freeing unused/,/TERM=/d' ;;
	*) sed -n '/faultline_break: [a-z_]*\r*$/,/faultline_break: .* is done/p' ;;
	esac | tr -d '\r' | sed '/reboot: /d; /memory scanning thread started/d' |
		awk -v max=$cut_lines '/stuck for|blocked for more|self-detected/ { n++ }
			n <= 3 && NR <= max'
}

record() { # record WORK KERNEL DEFECT
	mkdir -p "$out/$2"
	boot "$@" | cut_log "$3" >"$out/$2/$3.log"
	echo "$2/$3: $(wc -l <"$out/$2/$3.log") lines"
}

case ${1:-} in
build)
	tree=$2 work=$(mkdir -p "$3" && cd "$3" && pwd)
	shift 3
	for k in "${@:-${!fragments[@]}}"; do build "$tree" "$work" "$k"; done
	;;
boot)
	work=$(cd "$2" && pwd)
	shift 2
	initramfs "$work"
	for what in "${@:-${!defects[@]}}"; do
		kernel=${what%%/*}
		if [[ $what == */* ]]; then list=${what#*/}; else list=${defects[$kernel]}; fi
		for d in $list; do record "$work" "$kernel" "$d"; done
	done
	;;
*)
	sed -n '3,/^set/s/^# \{0,1\}//p' "$0" | sed '/^set/d'
	exit 64
	;;
esac
