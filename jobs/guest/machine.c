/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include "fault.h"
#include "fileio.h"
#include "kallsyms.h"
#include "pagemap.h"
#include "pin.h"
#include "split.h"
#include "thp.h"
#include "uapi.h"
#include "uffd.h"
#include "uprobe.h"
#include "vmstat.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#define SWAP_DEVICE "/dev/zram0"
#define SWAP_SIZE ((size_t)64 << 20) /* 32 THPs; zram takes memory only for what is stored */
#define SWAP_PAGE 4096

static const char *const feature_names[FEATURES] = {
	[FEATURE_THP] = "thp",
	[FEATURE_SWAP] = "swap",
	[FEATURE_NUMA] = "numa",
	[FEATURE_MEMCG] = "memcg",
	[FEATURE_KSM] = "ksm",
	[FEATURE_USERFAULTFD] = "userfaultfd",
	[FEATURE_KPAGEFLAGS] = "kpageflags",
	[FEATURE_SPLIT_COUNTER] = "split_counter",
	[FEATURE_FAILED_SPLIT_COUNTER] = "failed_split_counter",
	[FEATURE_FAIL_PAGE_ALLOC] = "fail_page_alloc",
	[FEATURE_FAILSLAB] = "failslab",
	[FEATURE_FAIL_FUNCTION] = "fail_function",
	[FEATURE_FAIL_NTH] = "fail_nth",
	[FEATURE_STACKTRACE_FILTER] = "stacktrace_filter",
	[FEATURE_KALLSYMS] = "kallsyms",
	[FEATURE_HUGE_ZERO_PAGE] = "huge_zero_page",
	[FEATURE_IO_URING] = "io_uring",
	[FEATURE_GUP_TEST] = "gup_test",
	[FEATURE_DEBUGFS_SPLIT] = "debugfs_split",
	[FEATURE_MEMORY_FAILURE] = "memory_failure",
	[FEATURE_SHRINK_UNDERUSED] = "shrink_underused",
	[FEATURE_UFFD_WP] = "uffd_wp",
	[FEATURE_UFFD_WP_ASYNC] = "uffd_wp_async",
	[FEATURE_UFFD_MOVE] = "uffd_move",
	[FEATURE_PAGEMAP_SCAN] = "pagemap_scan",
	[FEATURE_SOFT_DIRTY] = "soft_dirty",
	[FEATURE_UPROBES] = "uprobes",
};

void machine_mount(void)
{
	static const struct {
		const char *type, *target;
	} mounts[] = {
		{ "proc", "/proc" },	{ "sysfs", "/sys" },
		{ "devtmpfs", "/dev" }, { "debugfs", "/sys/kernel/debug" },
		{ "tmpfs", "/tmp" },	{ "cgroup2", "/sys/fs/cgroup" },
	};
	size_t i;

	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		(void)mkdir(mounts[i].target, 0755); /* sysfs has its own already */
		(void)mount(mounts[i].type, mounts[i].target, mounts[i].type, 0, NULL);
	}
}

/* What mkswap(8) does, as far as the kernel reads it (read_swap_header(), mm/swapfile.c). */
static int make_swap(int fd)
{
	static char page[SWAP_PAGE];
	struct uapi_swap_header header = {
		.version = UAPI_SWAP_VERSION,
		.last_page = SWAP_SIZE / SWAP_PAGE - 1,
	};
	const size_t magic_length = sizeof(UAPI_SWAP_MAGIC) - 1;

	memcpy(page, &header, sizeof(header));
	memcpy(page + sizeof(page) - magic_length, UAPI_SWAP_MAGIC, magic_length);
	return write_full(fd, page, sizeof(page));
}

static void set_up_swap(void)
{
	int fd, r;

	if (file_write("/sys/block/zram0/disksize", "67108864"))
		return;
	fd = open(SWAP_DEVICE, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	r = make_swap(fd);
	close(fd);
	if (!r)
		(void)swapon(SWAP_DEVICE, 0);
}

void machine_tune(void)
{
	static const struct {
		const char *path, *value;
	} knobs[] = {
		/* fault dumps are KERN_NOTICE: all but debug reaches the console */
		{ "/proc/sys/kernel/printk", "7 4 1 7" },
		/* the marks must not be dropped by the rate limit of /dev/kmsg */
		{ "/proc/sys/kernel/printk_devkmsg", "on" },
		{ "/proc/sys/kernel/kptr_restrict", "0" },
		/* shorter than a case's deadline, so that the log shows the stack of what hangs */
		{ "/proc/sys/kernel/hung_task_timeout_secs", "5" },
		{ "/proc/sys/kernel/hung_task_warnings", "-1" },
		{ "/proc/sys/kernel/watchdog_thresh", "5" },
		/* only fixtures have THPs, and only if they ask */
		{ THP_DIR "enabled", "madvise" },
		{ THP_DIR "defrag", "madvise" },
		/* the default, which machines with less than 512 MiB go without */
		{ THP_DIR "use_zero_page", "1" },
		/* the shrinker takes a reference to each THP that it looks at, and then others
		 * cannot split it: only the scenarios about it turn it on */
		{ THP_DIR "shrink_underused", "0" },
		/* khugepaged must neither collapse what a case has split, nor hold its mmap_lock */
		{ THP_DIR "khugepaged/defrag", "0" },
		{ THP_DIR "khugepaged/pages_to_scan", "1" },
		{ THP_DIR "khugepaged/max_ptes_none", "0" },
		{ THP_DIR "khugepaged/max_ptes_swap", "0" },
		{ THP_DIR "khugepaged/max_ptes_shared", "0" },
		{ THP_DIR "khugepaged/scan_sleep_millisecs", "1000000000" },
		{ THP_DIR "khugepaged/alloc_sleep_millisecs", "1000000000" },
		{ "/proc/sys/kernel/numa_balancing", "0" },
		/* no line in the log each time that we do it */
		{ "/proc/sys/vm/drop_caches", "4" },
		{ "/proc/sys/vm/compaction_proactiveness", "0" },
		{ "/sys/kernel/mm/ksm/run", "0" },
		/*
		 * x86: what the default falls back to without ACPI takes seconds and then starts the
		 * firmware without a reset that QEMU would notice
		 */
		{ "/sys/kernel/reboot/type", "triple" },
	};
	size_t i;

	for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
		(void)file_write(knobs[i].path, knobs[i].value);
	set_up_swap();
}

static bool has_swap(void)
{
	char text[512];

	/* the first line is the heading */
	return file_read("/proc/swaps", text, sizeof(text)) > 0 && strchr(text, '/') != NULL;
}

static bool has_memcg(void)
{
	char text[256];

	return file_read("/sys/fs/cgroup/cgroup.controllers", text, sizeof(text)) > 0 &&
	       strstr(text, "memory") != NULL;
}

/* Whoever knows the ioctl misses its argument (EFAULT); whoever does not says ENOTTY. */
static bool has_pagemap_scan(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool known = fd >= 0 && ioctl(fd, UAPI_PAGEMAP_SCAN, NULL) < 0 && errno == EFAULT;

	if (fd >= 0)
		close(fd);
	return known;
}

/* What has just been written is soft-dirty, or nothing ever is. */
static bool has_soft_dirty(void)
{
	volatile char written = 1;
	uint64_t entry;

	(void)written;
	return !pagemap_read((const void *)&written, 1, &entry) && (entry & UAPI_PM_SOFT_DIRTY);
}

static bool has_huge_zero_page(void)
{
	char text[8];

	return file_read(THP_DIR "use_zero_page", text, sizeof(text)) > 0 && *text == '1';
}

static bool opened(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* A kernel without memory failure refuses the advice even for nothing. */
static bool has_memory_failure(void)
{
	return !madvise(NULL, 0, UAPI_MADV_HWPOISON) && !madvise(NULL, 0, UAPI_MADV_SOFT_OFFLINE);
}

void machine_probe(struct machine *ret_machine)
{
	static struct vmstat vmstat;
	struct symbol_range range;
	bool *has = ret_machine->features;

	if (vmstat_read(&vmstat))
		vmstat.count = 0;
	has[FEATURE_THP] = thp_supported();
	has[FEATURE_SWAP] = has_swap();
	has[FEATURE_NUMA] = file_exists("/sys/devices/system/node/node1");
	has[FEATURE_MEMCG] = has_memcg();
	has[FEATURE_KSM] = file_exists("/sys/kernel/mm/ksm/run");
	has[FEATURE_USERFAULTFD] = opened(uffd_open(0));
	has[FEATURE_KPAGEFLAGS] = file_exists("/proc/kpageflags");
	has[FEATURE_SPLIT_COUNTER] = vmstat_get(&vmstat, "thp_split_pmd") >= 0;
	has[FEATURE_FAILED_SPLIT_COUNTER] = vmstat_get(&vmstat, "thp_split_pmd_failed") >= 0 ||
					    vmstat_get(&vmstat, "thp_split_pmd_pte_alloc_failed") >=
						    0;
	has[FEATURE_FAIL_PAGE_ALLOC] = fault_has_facility(FAULT_FAIL_PAGE_ALLOC);
	has[FEATURE_FAILSLAB] = fault_has_facility(FAULT_FAILSLAB);
	has[FEATURE_FAIL_FUNCTION] = fault_has_facility(FAULT_FAIL_FUNCTION);
	has[FEATURE_FAIL_NTH] = fault_has_fail_nth();
	has[FEATURE_STACKTRACE_FILTER] = fault_has_stacktrace_filter(FAULT_FAIL_PAGE_ALLOC);
	has[FEATURE_KALLSYMS] = kallsyms_lookup("pte_alloc_one", &range) == 0;
	has[FEATURE_HUGE_ZERO_PAGE] = has_huge_zero_page();
	has[FEATURE_IO_URING] = opened(pin_open_ring());
	has[FEATURE_GUP_TEST] = opened(pin_open_test());
	has[FEATURE_DEBUGFS_SPLIT] = split_possible();
	has[FEATURE_MEMORY_FAILURE] = has_memory_failure();
	has[FEATURE_SHRINK_UNDERUSED] = file_exists(THP_DIR "shrink_underused");
	has[FEATURE_UFFD_WP] = opened(uffd_open(UAPI_UFFD_FEATURE_PAGEFAULT_FLAG_WP));
	has[FEATURE_UFFD_WP_ASYNC] = opened(uffd_open(UAPI_UFFD_FEATURE_WP_ASYNC));
	has[FEATURE_UFFD_MOVE] = opened(uffd_open(UAPI_UFFD_FEATURE_MOVE));
	has[FEATURE_PAGEMAP_SCAN] = has_pagemap_scan();
	has[FEATURE_SOFT_DIRTY] = has_soft_dirty();
	has[FEATURE_UPROBES] = opened(uprobe_try());
}

const char *machine_feature_name(enum machine_feature feature)
{
	return feature_names[feature];
}

bool machine_has(const struct machine *machine, const char *feature)
{
	int i;

	for (i = 0; i < FEATURES; i++)
		if (!strcmp(feature, feature_names[i]))
			return machine->features[i];
	return false;
}

const char *machine_missing(const struct machine *machine, const char *needs)
{
	static char words[128];
	char *next = words, *word;

	strncpy(words, needs, sizeof(words) - 1);
	while ((word = strsep(&next, " ")) != NULL)
		if (*word && !machine_has(machine, word))
			return word;
	return NULL;
}
