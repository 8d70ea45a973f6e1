/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The keys of a case line, in the order of the table below. */
enum key {
	KEY_ID,
	KEY_SCENARIO,
	KEY_SITE,
	KEY_WITHIN,
	KEY_FACILITY,
	KEY_MODE,
	KEY_FROM,
	KEY_POINTS,
	KEY_TIMES,
	KEY_NTH,
	KEY_PROBABILITY,
	KEY_SEED,
	KEY_DEADLINE_MS,
	KEYS,
};

static const char *const key_names[KEYS] = {
	[KEY_ID] = "id",
	[KEY_SCENARIO] = "scenario",
	[KEY_SITE] = "site",
	[KEY_WITHIN] = "within",
	[KEY_FACILITY] = "facility",
	[KEY_MODE] = "mode",
	[KEY_FROM] = "from",
	[KEY_POINTS] = "points",
	[KEY_TIMES] = "times",
	[KEY_NTH] = "nth",
	[KEY_PROBABILITY] = "probability",
	[KEY_SEED] = "seed",
	[KEY_DEADLINE_MS] = "deadline_ms",
};

void request_reset(struct request *request)
{
	request->state = REQUEST_HEADER;
	request->line = 0;
	request->count = 0;
	request->skips_only = false;
	request->sites_count = 0;
}

static int parse_number(const char *text, uint64_t max, uint64_t *ret_number,
			struct problem *problem, const char *key)
{
	char *end;
	uint64_t number;

	/* strtoull() would take signs and blanks */
	if (*text < '0' || *text > '9')
		return problem_set(problem, -EINVAL, "%s is not a number", key);
	errno = 0;
	number = strtoull(text, &end, 10);
	if (*end || (text[0] == '0' && text[1]))
		return problem_set(problem, -EINVAL, "%s is not a number", key);
	if (errno || number > max)
		return problem_set(problem, -EINVAL, "%s is more than %" PRIu64, key, max);
	*ret_number = number;
	return 0;
}

static int parse_name(const char *text, char *name, size_t size, struct problem *problem,
		      const char *key)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	size_t length = strlen(text);

	if (!length || length >= size)
		return problem_set(problem, -EINVAL, "%s is empty or too long", key);
	if (strspn(text, allowed) != length)
		return problem_set(problem, -EINVAL, "%s has a character that no name has", key);
	memcpy(name, text, length + 1);
	return 0;
}

static int parse_within(const char *text, struct fault_spec *fault, struct problem *problem)
{
	if (!strcmp(text, "split"))
		fault->within = FAULT_WITHIN_SPLIT;
	else if (!strcmp(text, "any"))
		fault->within = FAULT_WITHIN_ANY;
	else
		return problem_set(problem, -EINVAL, "within is neither split nor any");
	return 0;
}

static int set_number(enum key key, const char *text, struct request_case *item,
		      struct problem *problem)
{
	static const uint64_t max[KEYS] = {
		[KEY_ID] = INT32_MAX,		[KEY_FROM] = FAULT_NEVER - 1,
		[KEY_POINTS] = FAULT_NEVER - 1, [KEY_TIMES] = FAULT_TIMES_MAX,
		[KEY_NTH] = FAULT_NEVER - 1,	[KEY_PROBABILITY] = 100,
		[KEY_SEED] = UINT64_MAX,	[KEY_DEADLINE_MS] = REQUEST_DEADLINE_MAX_MS,
	};
	uint64_t number = 0;
	int r = parse_number(text, max[key], &number, problem, key_names[key]);

	if (r)
		return r;
	if (key == KEY_ID)
		item->id = (uint32_t)number;
	else if (key == KEY_FROM)
		item->from = (uint32_t)number;
	else if (key == KEY_POINTS)
		item->points = (uint32_t)number;
	else if (key == KEY_TIMES)
		item->fault.times = (uint32_t)number;
	else if (key == KEY_NTH)
		item->fault.nth = (uint32_t)number;
	else if (key == KEY_PROBABILITY)
		item->fault.probability = (unsigned int)number;
	else if (key == KEY_SEED)
		item->fault.seed = number;
	else
		item->deadline_ms = (uint32_t)number;
	return 0;
}

static int set_value(enum key key, const char *text, struct request_case *item,
		     struct problem *problem)
{
	switch (key) {
	case KEY_SCENARIO:
		return parse_name(text, item->scenario, sizeof(item->scenario), problem,
				  "scenario");
	case KEY_SITE:
		return parse_name(text, item->fault.site, sizeof(item->fault.site), problem,
				  "site");
	case KEY_WITHIN:
		return parse_within(text, &item->fault, problem);
	case KEY_FACILITY:
		if (!fault_facility_parse(text, &item->fault.facility))
			return problem_set(problem, -EINVAL, "no facility of that name");
		return 0;
	case KEY_MODE:
		if (!fault_mode_parse(text, &item->fault.mode))
			return problem_set(problem, -EINVAL, "no mode of that name");
		return 0;
	default:
		return set_number(key, text, item, problem);
	}
}

/* What must be there depends on the mode; a value that could never inject is a mistake. */
static int check_case(const struct request_case *item, unsigned int seen, struct problem *problem)
{
	const unsigned int always = 1u << KEY_ID | 1u << KEY_SCENARIO | 1u << KEY_MODE;
	const unsigned int with_fault = 1u << KEY_SITE | 1u << KEY_WITHIN | 1u << KEY_FACILITY;
	const struct fault_spec *fault = &item->fault;

	if ((seen & always) != always)
		return problem_set(problem, -EINVAL, "a case needs id, scenario and mode");
	if (fault->mode == FAULT_MODE_NONE)
		return 0;
	if ((seen & with_fault) != with_fault)
		return problem_set(problem, -EINVAL, "a fault needs site, within and facility");
	if (fault->mode == FAULT_MODE_NTH && !fault->nth)
		return problem_set(problem, -EINVAL, "mode nth needs nth >= 1");
	if (fault->mode == FAULT_MODE_BURST && !fault->times)
		return problem_set(problem, -EINVAL, "mode burst needs times >= 1");
	if (fault->mode == FAULT_MODE_PROBABILITY && !fault->probability)
		return problem_set(problem, -EINVAL, "mode probability needs probability >= 1");
	if (fault->mode == FAULT_MODE_SWEEP && !item->from)
		return problem_set(problem, -EINVAL, "mode sweep needs from >= 1");
	return 0;
}

static int parse_pair(char *word, struct request_case *item, unsigned int *seen,
		      struct problem *problem)
{
	char *equals = strchr(word, '=');
	int key;

	if (!equals)
		return problem_set(problem, -EINVAL, "a word is not key=value");
	*equals = '\0';
	for (key = 0; key < KEYS; key++)
		if (!strcmp(word, key_names[key]))
			break;
	if (key == KEYS)
		return problem_set(problem, -EINVAL, "no key '%s'", word);
	if (*seen & 1u << key)
		return problem_set(problem, -EINVAL, "%s is there twice", word);
	*seen |= 1u << key;
	return set_value((enum key)key, equals + 1, item, problem);
}

static int parse_case(struct request *request, char *words, struct problem *problem)
{
	struct request_case item = { .from = 1, .fault = { .seed = 1 } };
	unsigned int seen = 0, i;
	char *word;
	int r;

	if (request->count == REQUEST_CASES_MAX)
		return problem_set(problem, -EINVAL, "more than %d cases", REQUEST_CASES_MAX);
	/* strsep() yields an empty word where two spaces meet: "not key=value" */
	while ((word = strsep(&words, " ")) != NULL) {
		r = parse_pair(word, &item, &seen, problem);
		if (r)
			return r;
	}
	r = check_case(&item, seen, problem);
	if (r)
		return r;
	for (i = 0; i < request->count; i++)
		if (request->cases[i].id == item.id)
			return problem_set(problem, -EINVAL, "id %" PRIu32 " is there twice",
					   item.id);
	request->cases[request->count++] = item;
	return 0;
}

/* The words of a case line that say where, and only these. */
static int parse_site(struct request *request, char *words, struct problem *problem)
{
	const unsigned int wanted = 1u << KEY_SITE | 1u << KEY_FACILITY;
	struct request_case item = { .id = 0 };
	struct request_site *site;
	unsigned int seen = 0;
	char *word;
	int r;

	if (request->sites_count == REQUEST_SITES_MAX)
		return problem_set(problem, -EINVAL, "more than %d sites", REQUEST_SITES_MAX);
	while ((word = strsep(&words, " ")) != NULL) {
		r = parse_pair(word, &item, &seen, problem);
		if (r)
			return r;
	}
	if (seen != wanted)
		return problem_set(problem, -EINVAL, "calibrate takes site and facility");
	site = &request->sites[request->sites_count++];
	memcpy(site->site, item.fault.site, sizeof(site->site));
	site->facility = item.fault.facility;
	return 0;
}

int request_feed(struct request *request, char *line, struct problem *problem)
{
	request->line++;
	if (!strcmp(line, "poweroff")) {
		request->state = REQUEST_POWEROFF;
		return 0;
	}
	if (request->state == REQUEST_HEADER) {
		if (strcmp(line, "faultline-request 1"))
			return problem_set(problem, -EINVAL, "expected 'faultline-request 1'");
		request->state = REQUEST_CASES;
		return 0;
	}
	if (!strncmp(line, "case ", 5))
		return parse_case(request, line + 5, problem);
	if (!strncmp(line, "calibrate ", 10))
		return parse_site(request, line + 10, problem);
	request->skips_only = !strcmp(line, "skips");
	if (!request->skips_only && strcmp(line, "run"))
		return problem_set(problem, -EINVAL,
				   "expected 'case', 'calibrate', 'run' or 'skips'");
	if (!request->count && !request->sites_count)
		return problem_set(problem, -EINVAL, "a request without a case");
	request->state = REQUEST_RUN;
	return 0;
}
