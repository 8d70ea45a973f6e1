/* SPDX-License-Identifier: MIT */
#include "agent/history.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

/* Ten plans of the largest size; what is beyond was never run again. */
#define ENTRIES_MAX 20000
#define FILE_BYTES_MAX (4 << 20)
#define TITLE_MAX 200
#define US_MAX INT64_C(1000000000000) /* eleven days */

/* Where the title stands or would stand. */
static size_t position(const struct history *h, const char *title)
{
	size_t low = 0, high = h->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(h->v[mid].title, title) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct history_entry *find(const struct history *h, const char *title)
{
	size_t i = position(h, title);

	return i < h->n && strcmp(h->v[i].title, title) == 0 ? &h->v[i] : NULL;
}

static void insert(struct history *h, const char *title, int64_t us)
{
	size_t i = position(h, title);

	if (h->n >= ENTRIES_MAX)
		return;
	ARRAY_RESERVE(h->v, h->n, h->cap);
	memmove(&h->v[i + 1], &h->v[i], (h->n - i) * sizeof(*h->v));
	h->v[i] = (struct history_entry){ xstrdup(title), us };
	h->n++;
}

static void load_line(struct history *h, char *line)
{
	char *space = strchr(line, ' ');
	long long us;

	if (!space)
		return;
	*space = '\0';
	if (str_to_i64(line, 0, US_MAX, &us) == 0)
		history_note(h, space + 1, us);
}

void history_load(struct history *h, const char *path)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	char *next, *line;

	*h = (struct history){ 0 };
	if (path_read(path, FILE_BYTES_MAX, &text, NULL) < 0 || !text.len)
		return;
	next = text.data;
	while ((line = strsep(&next, "\n")))
		load_line(h, line);
}

int64_t history_get(const struct history *h, const char *title)
{
	const struct history_entry *e = find(h, title);

	return e ? e->us : -1;
}

void history_note(struct history *h, const char *title, int64_t us)
{
	struct history_entry *e = find(h, title);

	if (us < 0 || us > US_MAX || !*title || strlen(title) > TITLE_MAX || strchr(title, '\n'))
		return;
	if (e)
		e->us += (us - e->us) / 4;
	else
		insert(h, title, us);
}

int history_save(const struct history *h, const char *path, struct error *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	for (size_t i = 0; i < h->n; i++)
		buf_printf(&text, "%lld %s\n", (long long)h->v[i].us, h->v[i].title);
	return path_write_atomic(path, buf_cstr(&text), text.len, 0644, err);
}

void history_free(struct history *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->v[i].title);
	free(h->v);
	*h = (struct history){ 0 };
}
