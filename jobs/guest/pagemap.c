/* SPDX-License-Identifier: MIT */
#include "pagemap.h"

#include "uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#define BATCH 512 /* entries a read: those of one 2 MiB THP */

static uint64_t kpageflags_of(int fd, uint64_t entry)
{
	uint64_t flags = 0, pfn = entry & UAPI_PM_PFN_MASK;

	if (fd < 0 || !pfn ||
	    pread(fd, &flags, sizeof(flags), (off_t)(pfn * sizeof(flags))) !=
		    (ssize_t)sizeof(flags))
		return 0;
	return flags;
}

static void count_entry(int flags_fd, uint64_t entry, struct pagemap_counts *counts)
{
	uint64_t flags;

	if (entry & UAPI_PM_SWAP) {
		counts->swapped++;
		return;
	}
	if (!(entry & UAPI_PM_PRESENT)) {
		counts->none++;
		return;
	}
	counts->present++;
	flags = kpageflags_of(flags_fd, entry);
	if (flags & UINT64_C(1) << UAPI_KPF_ZERO_PAGE)
		counts->zero_page++;
	if (flags & UINT64_C(1) << UAPI_KPF_THP) {
		counts->huge++;
		counts->heads += flags >> UAPI_KPF_COMPOUND_HEAD & 1;
	}
}

int pagemap_count(const void *start, size_t size, struct pagemap_counts *ret_counts)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), left = size / page;
	off_t offset = (off_t)((uintptr_t)start / page * sizeof(uint64_t));
	struct pagemap_counts counts = { 0 };
	uint64_t entries[BATCH];
	int fd, flags_fd, r = 0;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	flags_fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	while (left && !r) {
		size_t want = left < BATCH ? left : BATCH, i;
		ssize_t n = pread(fd, entries, want * sizeof(entries[0]), offset);

		if (n < 0)
			r = -errno;
		else if (n < (ssize_t)sizeof(entries[0]))
			r = -EIO;
		for (i = 0; !r && i < (size_t)n / sizeof(entries[0]); i++)
			count_entry(flags_fd, entries[i], &counts);
		if (!r) {
			left -= i;
			offset += (off_t)(i * sizeof(entries[0]));
		}
	}
	if (flags_fd >= 0)
		close(flags_fd);
	close(fd);
	if (!r)
		*ret_counts = counts;
	return r;
}

int pagemap_read(const void *start, size_t pages, uint64_t *ret_entries)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = pages * sizeof(ret_entries[0]);
	off_t offset = (off_t)((uintptr_t)start / page * sizeof(ret_entries[0]));
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), r = 0;
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < size && !r) {
		ssize_t n =
			pread(fd, (char *)ret_entries + done, size - done, offset + (off_t)done);

		if (n > 0)
			done += (size_t)n;
		else
			r = n ? -errno : -EIO;
	}
	close(fd);
	return r;
}

long pagemap_find_wrong(const uint64_t *entries, size_t pages, uint64_t bit, bool set, size_t other)
{
	size_t i;

	for (i = 0; i < pages; i++)
		if (((entries[i] & bit) != 0) != (set != (i == other)))
			return (long)i;
	return -1;
}

long pagemap_find_misplaced(const uint64_t *entries, size_t pages, uint64_t first)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		uint64_t frame = entries[i] & UAPI_PM_PFN_MASK;

		if (entries[i] & UAPI_PM_PRESENT && frame >= first && frame < first + pages &&
		    frame != first + i)
			return (long)i;
	}
	return -1;
}

int pagemap_frame(const void *address, uint64_t *ret_frame)
{
	uint64_t entry;
	int r = pagemap_read(address, 1, &entry);

	if (r)
		return r;
	if (!(entry & UAPI_PM_PRESENT))
		return -ENOENT;
	*ret_frame = entry & UAPI_PM_PFN_MASK;
	return 0;
}
