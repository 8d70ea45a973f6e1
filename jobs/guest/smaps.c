/* SPDX-License-Identifier: MIT */
#include "smaps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "7f00-7f10 rw-p 00000000 00:00 0": attributes start out as the permissions. */
static bool parse_header(const char *line, struct smaps_vma *vma)
{
	char *at;

	memset(vma, 0, sizeof(*vma));
	vma->start = strtoull(line, &at, 16);
	if (at == line || *at != '-')
		return false;
	vma->end = strtoull(at + 1, &at, 16);
	if (*at != ' ' || strlen(at) < 6 || at[5] != ' ')
		return false;
	memcpy(vma->attributes, at + 1, 4);
	return true;
}

static bool parse_kb(const char *line, const char *key, long *ret_kb)
{
	size_t length = strlen(key);

	if (strncmp(line, key, length) || line[length] != ':')
		return false;
	*ret_kb = strtol(line + length + 1, NULL, 10);
	return true;
}

static void parse_flags(char *flags, struct smaps_vma *vma)
{
	char *word, *rest;

	for (word = strtok_r(flags, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
		size_t used = strlen(vma->attributes), length = strlen(word);

		if (!strcmp(word, "sd") || used + length + 2 > sizeof(vma->attributes))
			continue;
		vma->attributes[used] = ' ';
		memcpy(vma->attributes + used + 1, word, length + 1);
	}
}

static void parse_field(char *line, struct smaps_vma *vma, long *total_anonymous_kb)
{
	if (parse_kb(line, "Anonymous", &vma->anonymous_kb))
		*total_anonymous_kb += vma->anonymous_kb;
	else if (parse_kb(line, "AnonHugePages", &vma->anon_huge_kb) ||
		 parse_kb(line, "ShmemPmdMapped", &vma->shmem_huge_kb) ||
		 parse_kb(line, "Rss", &vma->rss_kb) || parse_kb(line, "Locked", &vma->locked_kb))
		return;
	else if (parse_kb(line, "Swap", &vma->swap_kb))
		return;
	else if (!strncmp(line, "VmFlags:", 8))
		parse_flags(line + 8, vma);
}

int smaps_parse(FILE *file, uintptr_t start, uintptr_t end, struct smaps *ret_smaps)
{
	struct smaps_vma elsewhere, *vma = &elsewhere;
	char line[512];

	ret_smaps->count = 0;
	ret_smaps->truncated = false;
	ret_smaps->total_anonymous_kb = 0;
	while (fgets(line, sizeof(line), file)) {
		struct smaps_vma header;

		/* field names are capitalised, addresses are lower-case hexadecimal */
		if (line[0] >= 'A' && line[0] <= 'Z') {
			parse_field(line, vma, &ret_smaps->total_anonymous_kb);
			continue;
		}
		if (!parse_header(line, &header))
			return -EBADMSG;
		vma = &elsewhere;
		if (header.start < end && header.end > start) {
			if (ret_smaps->count < SMAPS_VMAS_MAX)
				vma = &ret_smaps->vmas[ret_smaps->count++];
			else
				ret_smaps->truncated = true;
		}
		*vma = header;
	}
	return ferror(file) ? -EIO : 0;
}

int smaps_read(const void *start, size_t size, struct smaps *ret_smaps)
{
	FILE *file = fopen("/proc/self/smaps", "re");
	int r;

	if (!file)
		return -errno;
	r = smaps_parse(file, (uintptr_t)start, (uintptr_t)start + size, ret_smaps);
	fclose(file);
	return r;
}

void smaps_normalise(struct smaps *smaps, const void *start, size_t size)
{
	uintptr_t from = (uintptr_t)start, to = from + size;
	size_t i, used = 0;

	for (i = 0; i < smaps->count; i++) {
		struct smaps_vma vma = smaps->vmas[i];
		struct smaps_vma *last = used ? &smaps->vmas[used - 1] : NULL;

		vma.start = vma.start < from ? from : vma.start;
		vma.end = vma.end > to ? to : vma.end;
		if (last && last->end == vma.start && !strcmp(last->attributes, vma.attributes))
			last->end = vma.end;
		else
			smaps->vmas[used++] = vma;
	}
	smaps->count = used;
}

bool smaps_equal(const struct smaps *a, const struct smaps *b)
{
	size_t i;

	if (a->count != b->count || a->truncated || b->truncated)
		return false;
	for (i = 0; i < a->count; i++) {
		const struct smaps_vma *x = &a->vmas[i], *y = &b->vmas[i];

		if (x->start != y->start || x->end != y->end ||
		    strcmp(x->attributes, y->attributes))
			return false;
	}
	return true;
}

const struct smaps_vma *smaps_find(const struct smaps *smaps, const void *address)
{
	uintptr_t at = (uintptr_t)address;
	size_t i;

	for (i = 0; i < smaps->count; i++)
		if (smaps->vmas[i].start <= at && at < smaps->vmas[i].end)
			return &smaps->vmas[i];
	return NULL;
}

bool smaps_has_flag(const struct smaps_vma *vma, const char *flag)
{
	const char *at = vma->attributes;
	size_t length = strlen(flag);

	while ((at = strchr(at, ' ')) != NULL) {
		at++;
		if (!strncmp(at, flag, length) && (at[length] == ' ' || !at[length]))
			return true;
	}
	return false;
}

long smaps_sum_anon_huge_kb(const struct smaps *smaps)
{
	long sum = 0;
	size_t i;

	for (i = 0; i < smaps->count; i++)
		sum += smaps->vmas[i].anon_huge_kb;
	return sum;
}
