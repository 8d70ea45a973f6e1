/* SPDX-License-Identifier: MIT */
/*
 * Kernel constants and structures that musl-gcc cannot see, because it does not search the
 * kernel's own headers. Each names the kernel header it repeats; all are stable user-space ABI.
 */
#ifndef FAULTLINE_GUEST_UAPI_H
#define FAULTLINE_GUEST_UAPI_H

#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

/* include/uapi/asm-generic/mman-common.h */
#ifndef MADV_COLD
#define MADV_COLD 20
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define UAPI_MADV_HWPOISON 100
#define UAPI_MADV_SOFT_OFFLINE 101

/* include/uapi/linux/mempolicy.h */
#define UAPI_MPOL_MF_MOVE (1 << 1)

/* include/uapi/linux/prctl.h */
#define UAPI_PR_SET_THP_DISABLE 41

/* mm/gup_test.h: the ioctls of debugfs gup_test */
struct uapi_pin_longterm_test {
	uint64_t addr;
	uint64_t size;
	uint32_t flags; /* 0: for reading only, not the fast way */
};
#define UAPI_PIN_LONGTERM_TEST_START _IOW('g', 7, struct uapi_pin_longterm_test)
#define UAPI_PIN_LONGTERM_TEST_READ _IOW('g', 9, uint64_t)

/* Documentation/admin-guide/mm/pagemap.rst: bits of a /proc/PID/pagemap entry */
#define UAPI_PM_PFN_MASK ((UINT64_C(1) << 55) - 1)
#define UAPI_PM_SOFT_DIRTY (UINT64_C(1) << 55)
#define UAPI_PM_EXCLUSIVE (UINT64_C(1) << 56)
#define UAPI_PM_UFFD_WP (UINT64_C(1) << 57)
#define UAPI_PM_FILE (UINT64_C(1) << 61)
#define UAPI_PM_SWAP (UINT64_C(1) << 62)
#define UAPI_PM_PRESENT (UINT64_C(1) << 63)

/* include/uapi/linux/kernel-page-flags.h: bit numbers of a /proc/kpageflags entry */
#define UAPI_KPF_ANON 12
#define UAPI_KPF_COMPOUND_HEAD 15
#define UAPI_KPF_COMPOUND_TAIL 16
#define UAPI_KPF_HWPOISON 19
#define UAPI_KPF_KSM 21
#define UAPI_KPF_THP 22
#define UAPI_KPF_ZERO_PAGE 24

/* include/linux/swap.h, union swap_header: what mkswap(8) writes to the first page */
struct uapi_swap_header {
	char bootbits[1024];
	uint32_t version;
	uint32_t last_page;
	uint32_t nr_badpages;
	unsigned char uuid[16];
	char volume[16];
	uint32_t padding[117];
	uint32_t badpages[1];
};
#define UAPI_SWAP_VERSION 1
#define UAPI_SWAP_MAGIC "SWAPSPACE2" /* the last ten bytes of that page */

#endif
