/* SPDX-License-Identifier: MIT */
#include "agent/symtab.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

/* A symbol that the kernel's own table does not have would cut the function before it short. */
static bool is_left_out(char type, const char *name)
{
	static const char *const prefixes[] = {
		"$",
		".L",
		"__efistub_",
		"__pi_$",
		"__pi_.L",
		"__crc_",
		"__kstrtab",
		"__kcfi_typeid_",
		"__pi___kcfi_typeid_",
	};

	if (strchr("aNUw", type) || strcmp(name, "L0") == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (str_starts(name, prefixes[i]))
			return true;
	return false;
}

/* "ffffffff81000000 T name"; the line is cut where the name ends. */
static bool take_line(char *line, struct symtab_entry *ret)
{
	char *end;

	if (!isxdigit((unsigned char)*line))
		return false;
	ret->address = strtoull(line, &end, 16);
	if (end[0] != ' ' || !isalpha((unsigned char)end[1]) || end[2] != ' ' || !end[3])
		return false;
	ret->name = end + 3;
	ret->name[strcspn(ret->name, " \t\r")] = '\0';
	return !is_left_out(end[1], ret->name);
}

static int by_address(const void *a, const void *b)
{
	const struct symtab_entry *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static int by_name(const void *a, const void *b)
{
	const struct symtab_entry *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : by_address(a, b);
}

/* Several symbols may have one address: the next that is greater ends them all. */
static void measure(struct symtab *t)
{
	uint64_t next = 0;

	for (size_t i = t->n; i-- > 0;) {
		if (i + 1 < t->n && t->v[i + 1].address > t->v[i].address)
			next = t->v[i + 1].address;
		t->v[i].size = next ? next - t->v[i].address : 0;
	}
}

void symtab_read(char *text, struct symtab *ret)
{
	struct symtab t = { .text = text };
	size_t cap = 0;
	char *save = NULL;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct symtab_entry e;

		if (!take_line(l, &e))
			continue;
		ARRAY_RESERVE(t.v, t.n, cap);
		t.v[t.n++] = e;
	}
	if (t.n) {
		qsort(t.v, t.n, sizeof(*t.v), by_address);
		measure(&t);
		qsort(t.v, t.n, sizeof(*t.v), by_name);
	}
	*ret = t;
}

void symtab_free(struct symtab *t)
{
	free(t->text);
	free(t->v);
	*t = (struct symtab){ 0 };
}

/* The first entry of this name, or t->n. */
static size_t first_of(const struct symtab *t, const char *name)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(t->v[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

enum symtab_answer symtab_find(const struct symtab *t, const char *name, uint64_t size,
			       uint64_t *ret_address)
{
	enum symtab_answer answer = SYMTAB_UNKNOWN;
	uint64_t address = 0;

	for (size_t i = first_of(t, name); i < t->n && strcmp(t->v[i].name, name) == 0; i++) {
		if (size && t->v[i].size != size) {
			if (answer == SYMTAB_UNKNOWN)
				answer = SYMTAB_OTHER;
			continue;
		}
		if (answer == SYMTAB_FOUND && t->v[i].address != address)
			return SYMTAB_AMBIGUOUS;
		answer = SYMTAB_FOUND;
		address = t->v[i].address;
	}
	if (answer == SYMTAB_FOUND)
		*ret_address = address;
	return answer;
}
