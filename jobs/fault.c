/* SPDX-License-Identifier: MIT */
#include "jobs/fault.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/limits.h"

static const char *const mode_names[] = {
	[FAULT_NONE] = "none",	 [FAULT_NTH] = "nth",
	[FAULT_BURST] = "burst", [FAULT_PROBABILITY] = "probability",
	[FAULT_SWEEP] = "sweep",
};

static const char *const facility_names[] = {
	[FAULT_FAIL_PAGE_ALLOC] = "fail_page_alloc",
	[FAULT_FAILSLAB] = "failslab",
	[FAULT_FAIL_FUNCTION] = "fail_function",
};

static const char *const within_names[] = {
	[FAULT_WITHIN_SPLIT] = "split",
	[FAULT_WITHIN_ANY] = "any",
};

#define DEFAULT_SITE "pte_alloc_one"
#define DEFAULT_TIMES 3
#define DEFAULT_SEED 1

void fault_defaults(struct fault *f)
{
	*f = (struct fault){
		.site = DEFAULT_SITE,
		.within = FAULT_WITHIN_SPLIT,
		.facility = FAULT_FAIL_PAGE_ALLOC,
		.mode = FAULT_NONE,
		.times = DEFAULT_TIMES,
		.seed = DEFAULT_SEED,
	};
}

const char *fault_mode_name(enum fault_mode m)
{
	return (size_t)m < ARRAY_SIZE(mode_names) ? mode_names[m] : "?";
}

const char *fault_facility_name(enum fault_facility f)
{
	return (size_t)f < ARRAY_SIZE(facility_names) ? facility_names[f] : "?";
}

const char *fault_within_name(enum fault_within w)
{
	return (size_t)w < ARRAY_SIZE(within_names) ? within_names[w] : "?";
}

/* Index of `s` in `names`, or -1. */
static int word_index(const char *const *names, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], s) == 0)
			return (int)i;
	return -1;
}

bool fault_mode_parse(const char *s, enum fault_mode *ret)
{
	int i = word_index(mode_names, ARRAY_SIZE(mode_names), s);

	if (i < 0)
		return false;
	*ret = (enum fault_mode)i;
	return true;
}

/* The site becomes a word of a request line and a look-up in kallsyms: [A-Za-z_][A-Za-z0-9_.]* */
static bool site_is_valid(const char *s)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	static const char rest[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.";
	size_t len = strlen(s);

	return len > 0 && len < FAULT_SITE_MAX && strchr(first, s[0]) && strspn(s, rest) == len;
}

struct fault_key {
	const char *name;
	enum {
		KEY_SITE,
		KEY_WITHIN,
		KEY_FACILITY,
		KEY_MODE,
		KEY_NTH,
		KEY_TIMES,
		KEY_PROB,
		KEY_SEED
	} id;
	bool number;
	int64_t min, max;
};

static const struct fault_key fault_keys[] = {
	{ "site", KEY_SITE, false, 0, 0 },	    { "within", KEY_WITHIN, false, 0, 0 },
	{ "facility", KEY_FACILITY, false, 0, 0 },  { "mode", KEY_MODE, false, 0, 0 },
	{ "nth", KEY_NTH, true, 1, FAULT_NTH_MAX }, { "times", KEY_TIMES, true, 1, LIMIT_TIMES },
	{ "probability", KEY_PROB, true, 1, 100 },  { "seed", KEY_SEED, true, 0, INT64_MAX },
};

static void set_number(struct fault *f, const struct fault_key *k, int64_t n)
{
	if (k->id == KEY_NTH)
		f->nth = (int)n;
	else if (k->id == KEY_TIMES)
		f->times = (int)n;
	else if (k->id == KEY_PROB)
		f->probability = (int)n;
	else
		f->seed = (uint64_t)n;
}

/* Sets the word `s` for key `k`; false when it is none of the key's words. */
static bool set_word(struct fault *f, const struct fault_key *k, const char *s)
{
	int i;

	switch (k->id) {
	case KEY_SITE:
		if (!site_is_valid(s))
			return false;
		snprintf(f->site, sizeof(f->site), "%s", s);
		return true;
	case KEY_WITHIN:
		i = word_index(within_names, ARRAY_SIZE(within_names), s);
		if (i >= 0)
			f->within = (enum fault_within)i;
		return i >= 0;
	case KEY_FACILITY:
		i = word_index(facility_names, ARRAY_SIZE(facility_names), s);
		if (i >= 0)
			f->facility = (enum fault_facility)i;
		return i >= 0;
	default:
		return fault_mode_parse(s, &f->mode);
	}
}

/* What the mode needs must be there; what it does not use goes back to the default, so that
 * equal specs are equal structs. NULL, or the key that is missing. */
static const char *fault_normalise(struct fault *f)
{
	if (f->mode == FAULT_NTH && !f->nth)
		return "nth";
	if (f->mode == FAULT_PROBABILITY && !f->probability)
		return "probability";
	if (f->mode != FAULT_NTH && f->mode != FAULT_SWEEP)
		f->nth = 0;
	if (f->mode != FAULT_BURST && f->mode != FAULT_PROBABILITY)
		f->times = DEFAULT_TIMES;
	else if (!f->times)
		f->times = f->mode == FAULT_BURST ? DEFAULT_TIMES : 1;
	if (f->mode != FAULT_PROBABILITY) {
		f->probability = 0;
		f->seed = DEFAULT_SEED;
	}
	return NULL;
}

int fault_from_json(const struct jval *v, struct fault *ret, struct error *err)
{
	const char *names[ARRAY_SIZE(fault_keys) + 1] = { NULL };
	const char *missing;
	struct fault f;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(fault_keys); i++)
		names[i] = fault_keys[i].name;
	r = json_as_obj(v, err);
	if (r < 0)
		return r;
	r = json_only_keys(v, names, err);
	if (r < 0)
		return r;
	fault_defaults(&f);
	f.times = 0; /* not given: fault_normalise() */
	for (size_t i = 0; i < ARRAY_SIZE(fault_keys); i++) {
		const struct fault_key *k = &fault_keys[i];
		const char *s = NULL;
		int64_t n = -1;

		if (k->number)
			r = json_opt_i64(v, k->name, k->min, k->max, &n, err);
		else
			r = json_opt_str(v, k->name, FAULT_SITE_MAX - 1, &s, err);
		if (r < 0)
			return r;
		if (k->number && n >= 0)
			set_number(&f, k, n);
		if (s && !set_word(&f, k, s))
			return error_set(err, -EINVAL, "%s.%s: '%s' is not a %s", v->path, k->name,
					 s, k->id == KEY_SITE ? "kernel symbol" : k->name);
	}
	missing = fault_normalise(&f);
	if (missing)
		return error_set(err, -EINVAL, "%s.%s: missing, mode '%s' needs it", v->path,
				 missing, fault_mode_name(f.mode));
	*ret = f;
	return 0;
}

struct json_object *fault_to_json(const struct fault *f)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "site", json_str(f->site));
	json_object_object_add(o, "within", json_str(fault_within_name(f->within)));
	json_object_object_add(o, "facility", json_str(fault_facility_name(f->facility)));
	json_object_object_add(o, "mode", json_str(fault_mode_name(f->mode)));
	if (f->mode == FAULT_NTH || (f->mode == FAULT_SWEEP && f->nth > 0))
		json_object_object_add(o, "nth", json_object_new_int(f->nth));
	if (f->mode == FAULT_BURST)
		json_object_object_add(o, "times", json_object_new_int(f->times));
	if (f->mode == FAULT_PROBABILITY) {
		json_object_object_add(o, "probability", json_object_new_int(f->probability));
		json_object_object_add(o, "seed", json_object_new_int64((int64_t)f->seed));
		if (f->times > 1)
			json_object_object_add(o, "times", json_object_new_int(f->times));
	}
	return o;
}

/* One "key=value" (or, as the first, a bare mode) of the command line's form. */
static int text_item(char *item, bool first, unsigned int *seen, struct fault *f, struct error *err)
{
	const char *key = item, *value;
	char *eq = strchr(item, '=');
	long long n;

	if (eq) {
		*eq = '\0';
		value = eq + 1;
	} else if (first) {
		key = "mode";
		value = item;
	} else {
		return error_set(err, -EINVAL, "fault: '%s' is not key=value", item);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fault_keys); i++) {
		const struct fault_key *k = &fault_keys[i];

		if (strcmp(k->name, key) != 0)
			continue;
		if (*seen & (1U << i))
			return error_set(err, -EINVAL, "fault: %s is given twice", key);
		*seen |= 1U << i;
		if (!k->number)
			return set_word(f, k, value)
				       ? 0
				       : error_set(err, -EINVAL, "fault: '%s' is not a %s", value,
						   k->id == KEY_SITE ? "kernel symbol" : key);
		if (str_to_i64(value, k->min, k->max, &n) < 0)
			return error_set(err, -EINVAL, "fault: %s='%s' is not in %lld..%lld", key,
					 value, (long long)k->min, (long long)k->max);
		set_number(f, k, n);
		return 0;
	}
	return error_set(err, -EINVAL,
			 "fault: unknown key '%s' (site within facility mode nth times "
			 "probability seed)",
			 key);
}

int fault_from_text(const char *text, struct fault *ret, struct error *err)
{
	CLEANUP(free_p) char *copy = xstrdup(text);
	char *rest = copy, *item;
	unsigned int seen = 0;
	const char *missing;
	bool first = true;
	struct fault f;

	if (strlen(text) >= FAULT_TEXT_MAX)
		return error_set(err, -EINVAL, "fault: longer than %d bytes", FAULT_TEXT_MAX - 1);
	fault_defaults(&f);
	f.times = 0; /* not given: fault_normalise() */
	while ((item = strsep(&rest, ","))) {
		int r = text_item(item, first, &seen, &f, err);

		if (r < 0)
			return r;
		first = false;
	}
	missing = fault_normalise(&f);
	if (missing)
		return error_set(err, -EINVAL,
				 "fault: mode '%s' needs %s=", fault_mode_name(f.mode), missing);
	*ret = f;
	return 0;
}

void fault_to_text(const struct fault *f, char out[FAULT_TEXT_MAX])
{
	char head[FAULT_TEXT_MAX / 2], tail[FAULT_TEXT_MAX / 4] = "";
	int n = snprintf(head, sizeof(head), "mode=%s", fault_mode_name(f->mode));

	if (strcmp(f->site, DEFAULT_SITE) != 0)
		n += snprintf(head + n, sizeof(head) - (size_t)n, ",site=%.*s", FAULT_SITE_MAX - 1,
			      f->site);
	if (f->within != FAULT_WITHIN_SPLIT)
		n += snprintf(head + n, sizeof(head) - (size_t)n, ",within=%s",
			      fault_within_name(f->within));
	if (f->facility != FAULT_FAIL_PAGE_ALLOC)
		snprintf(head + n, sizeof(head) - (size_t)n, ",facility=%s",
			 fault_facility_name(f->facility));
	if (f->mode == FAULT_NTH || (f->mode == FAULT_SWEEP && f->nth > 0))
		snprintf(tail, sizeof(tail), ",nth=%d", f->nth);
	else if (f->mode == FAULT_BURST)
		snprintf(tail, sizeof(tail), ",times=%d", f->times);
	else if (f->mode == FAULT_PROBABILITY)
		n = snprintf(tail, sizeof(tail), ",probability=%d,seed=%" PRIu64, f->probability,
			     f->seed);
	if (f->mode == FAULT_PROBABILITY && f->times > 1)
		snprintf(tail + n, sizeof(tail) - (size_t)n, ",times=%d", f->times);
	snprintf(out, FAULT_TEXT_MAX, "%s%s", head, tail);
}

/*
 * Below each of these a page-table allocation is made for the split of a PMD and for nothing
 * else (read in Linux 6.12). Callers that also allocate for other ends are left out on purpose:
 * copy_huge_pmd() allocates the child's deposit, change_pmd_range() and move_page_tables() come
 * through __pte_alloc(); where these split, __split_huge_pmd() is on the stack as well.
 */
static const char *const splitters[] = {
	"__split_huge_pmd", /* mm/huge_memory.c: never tail-calls, so its frame is always there */
	"__split_huge_pmd_locked", /* the same, when entered by split_huge_pmd_locked() */
	"split_huge_pmd_locked", /* mm/rmap.c try_to_unmap_one() calls it with the lock held */
	"split_huge_pmd_address", /* freeze for migration, and the VMA adjustments */
	"split_huge_pmd_if_needed", /* the two ends of a VMA that moves */
	"vma_adjust_trans_huge", /* does nothing but the two or three splits above */
	"try_to_unmap_one", /* mm/rmap.c: pre-allocates before it takes the lock */
	"try_to_migrate_one", /* mm/rmap.c: split_huge_pmd_address() may be inlined or tail-called */
	"do_huge_pmd_wp_page", /* the fallback of a write to a shared THP */
};

/* Length of the name without what the compiler's clones (f.isra.0, f.constprop.0, f.part.0, f.cold)
 * and allocation profiling (f_noprof, include/linux/alloc_tag.h) put behind it. */
static size_t frame_len(const char *frame)
{
	static const char *const suffixes[] = { ".isra.", ".constprop.", ".part.", ".cold" };
	static const char noprof[] = "_noprof";
	size_t len = strlen(frame), tail = sizeof(noprof) - 1;

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		const char *at = strstr(frame, suffixes[i]);

		if (at && (size_t)(at - frame) < len)
			len = (size_t)(at - frame);
	}
	if (len > tail && !strncmp(frame + len - tail, noprof, tail))
		len -= tail;
	return len;
}

char *fault_frame_fold(const char *frame)
{
	return xstrndup(frame, frame_len(frame));
}

static bool frame_is(const char *frame, const char *name)
{
	size_t len = frame_len(frame);

	return strlen(name) == len && !strncmp(frame, name, len);
}

static bool frame_splits(const char *frame)
{
	for (size_t i = 0; i < ARRAY_SIZE(splitters); i++)
		if (frame_is(frame, splitters[i]))
			return true;
	return false;
}

/* A site may be what allocates, or any function around the split (handle_mm_fault). */
bool fault_stack_on_target(const struct fault *f, const char *const *frames, int n)
{
	int site = 0;

	while (site < n && !frame_is(frames[site], f->site))
		site++;
	if (site == n)
		return false;
	if (f->within == FAULT_WITHIN_ANY)
		return true;
	for (int i = 0; i < n; i++) {
		if (frame_splits(frames[i]))
			return true;
		/* An ordinary page table: whatever called it, it was not a split that needed it. */
		if (i != site && frame_is(frames[i], "__pte_alloc"))
			return false;
	}
	return false;
}
