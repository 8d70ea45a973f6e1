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

/* and include/uapi/asm-generic/mman.h */
#define UAPI_MLOCK_ONFAULT 1U
#define UAPI_MCL_ONFAULT 4

#define UAPI_MADV_HWPOISON 100
#define UAPI_MADV_SOFT_OFFLINE 101

/* include/uapi/linux/mman.h */
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* include/uapi/linux/mempolicy.h */
#define UAPI_MPOL_DEFAULT 0
#define UAPI_MPOL_PREFERRED 1
#define UAPI_MPOL_BIND 2
#define UAPI_MPOL_F_ADDR (1 << 1)
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

/* include/uapi/linux/userfaultfd.h */
#define UAPI_UFFD_API UINT64_C(0xaa)
#define UAPI_UFFD_FEATURE_PAGEFAULT_FLAG_WP (UINT64_C(1) << 0)
#define UAPI_UFFD_FEATURE_SIGBUS (UINT64_C(1) << 7)
#define UAPI_UFFD_FEATURE_WP_ASYNC (UINT64_C(1) << 15) /* since 6.7 */
#define UAPI_UFFD_FEATURE_MOVE (UINT64_C(1) << 16) /* since 6.8 */
#define UAPI_UFFDIO_REGISTER_MODE_MISSING (UINT64_C(1) << 0)
#define UAPI_UFFDIO_REGISTER_MODE_WP (UINT64_C(1) << 1)
#define UAPI_UFFDIO_WRITEPROTECT_MODE_WP (UINT64_C(1) << 0)
struct uapi_uffdio_api {
	uint64_t api, features, ioctls;
};
struct uapi_uffdio_range {
	uint64_t start, len;
};
struct uapi_uffdio_register {
	struct uapi_uffdio_range range;
	uint64_t mode, ioctls;
};
struct uapi_uffdio_writeprotect {
	struct uapi_uffdio_range range;
	uint64_t mode;
};
struct uapi_uffdio_move {
	uint64_t dst, src, len, mode;
	int64_t move;
};
#define UAPI_UFFDIO_REGISTER _IOWR(0xaa, 0x00, struct uapi_uffdio_register)
#define UAPI_UFFDIO_UNREGISTER _IOR(0xaa, 0x01, struct uapi_uffdio_range)
#define UAPI_UFFDIO_MOVE _IOWR(0xaa, 0x05, struct uapi_uffdio_move)
#define UAPI_UFFDIO_WRITEPROTECT _IOWR(0xaa, 0x06, struct uapi_uffdio_writeprotect)
#define UAPI_UFFDIO_API _IOWR(0xaa, 0x3f, struct uapi_uffdio_api)

/* include/uapi/linux/fs.h: an ioctl of /proc/PID/pagemap, since 6.7 */
struct uapi_page_region {
	uint64_t start, end, categories;
};
struct uapi_pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define UAPI_PAGEMAP_SCAN _IOWR('f', 16, struct uapi_pm_scan_arg)
#define UAPI_PM_SCAN_WP_MATCHING (1 << 0)
#define UAPI_PAGE_IS_WRITTEN (1 << 1)

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
