#!/bin/bash
# SPDX-License-Identifier: MIT
#
# failcmd_loop.sh: process 1 of the machine that the bench compares with: a shell loop over the
# kernel's own failcmd.sh, one failing page-table allocation of one split an iteration, as somebody
# does it by hand. The addresses are looked up once; each iteration looks into the kernel's log, since
# that is the only proof. What it says goes to the port, for failcmd.sh of the host's side.
count=$BENCH_COUNT
export PATH=/bin FAILCMD_TYPE=fail_page_alloc
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t debugfs debugfs /sys/kernel/debug
exec </dev/null 2>/dev/console >"$(echo /dev/vport*p1)"
echo triple >/sys/kernel/reboot/type
# off by default in a small machine
echo madvise >/sys/kernel/mm/transparent_hugepage/enabled

range() { # SYMBOL: its first address and the next symbol's, "0x… 0x…"
	awk -v s="$1" 'at && $1 != at { print "0x" at, "0x" $1; exit } $3 == s { at = $1 }' \
		/proc/kallsyms
}
uptime() {
	local up
	read -r up _ </proc/uptime
	echo "$up"
}
read -r start end <<<"$(range __split_huge_pmd)"
echo "ready __split_huge_pmd=$start-$end"

dmesg -c >/dev/null
before=$(uptime) proven=0 enomem=0 wrong=0
for ((i = 0; i < count; i++)); do
	bash /failcmd.sh --probability=100 --times=1 --min-order=0 --ignore-gfp-wait=N \
		--stacktrace-depth=32 --require-start="$start" --require-end="$end" -- /split_once
	result=$?
	log=$(dmesg -c)
	((result == 1)) && ((enomem++))
	if ((result > 1)) || [[ $log =~ (kernel BUG|WARNING:|Oops) ]]; then
		((wrong++))
	elif [[ $log == *FAULT_INJECTION*__split_huge_pmd* ]]; then
		((proven++))
	fi
done
echo "done iterations=$count proven=$proven enomem=$enomem wrong=$wrong from=$before to=$(uptime)"
reboot -f
