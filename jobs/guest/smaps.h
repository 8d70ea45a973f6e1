/* SPDX-License-Identifier: MIT */
/* What the kernel says about ranges of this process: /proc/self/smaps. */
#ifndef FAULTLINE_GUEST_SMAPS_H
#define FAULTLINE_GUEST_SMAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SMAPS_VMAS_MAX 32 /* a fixture has three to seven */
#define SMAPS_ATTRIBUTES_MAX 96

struct smaps_vma {
	uintptr_t start, end;
	/* "rw-p" and then the VmFlags, without sd (soft dirty), which any write or split sets */
	char attributes[SMAPS_ATTRIBUTES_MAX];
	long rss_kb, anonymous_kb, anon_huge_kb, shmem_huge_kb, locked_kb, swap_kb;
};

struct smaps {
	struct smaps_vma vmas[SMAPS_VMAS_MAX];
	size_t count;
	bool truncated; /* there were more VMAs than fit */
	long total_anonymous_kb; /* of the whole file, not only of the range */
};

/* Takes the VMAs that overlap [start, end) out of an open smaps file. Returns 0 or -errno. */
int smaps_parse(FILE *file, uintptr_t start, uintptr_t end, struct smaps *ret_smaps)
	__attribute__((warn_unused_result));

/* The same for /proc/self/smaps. */
int smaps_read(const void *start, size_t size, struct smaps *ret_smaps)
	__attribute__((warn_unused_result));

/*
 * Clips to [start, start + size) and joins neighbours whose attributes are equal. A VMA that was
 * split in two is the same mapping to the process, and the kernel may leave it so after an error.
 */
void smaps_normalise(struct smaps *smaps, const void *start, size_t size);

/* Same ranges with the same attributes; call smaps_normalise() on both before. */
bool smaps_equal(const struct smaps *a, const struct smaps *b);

/* The VMA with this address, NULL if none was read. */
const struct smaps_vma *smaps_find(const struct smaps *smaps, const void *address);

/* Does the VmFlags list hold this two-letter word ("lo": VM_LOCKED)? */
bool smaps_has_flag(const struct smaps_vma *vma, const char *flag);

long smaps_sum_anon_huge_kb(const struct smaps *smaps);

#endif
