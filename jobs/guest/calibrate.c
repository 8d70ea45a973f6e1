/* SPDX-License-Identifier: MIT */
#include "calibrate.h"

#include "child.h"
#include "ktap.h"
#include "thp.h"
#include "uapi.h"
#include "vmstat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DEADLINE_MS 10000
#define PAGE_TABLE_SITE "pte_alloc_one"

/* Shared with the process that splits. */
struct attempt {
	struct fault_arm arm;
	bool swap;
	bool finished;
	int64_t splits, hits;
	struct problem error;
};

static int64_t split_counter(void)
{
	static struct vmstat now;

	return vmstat_read(&now) ? -1 : vmstat_get(&now, "thp_split_pmd");
}

/* One split of a fresh THP by this advice on its first `size` bytes. */
static int split_by(struct attempt *attempt, int advice, size_t size)
{
	int64_t before, after;
	struct thp thp;
	int r;

	r = thp_create(&thp, 1, &attempt->error);
	if (r)
		return r;
	r = fault_arm_open(&attempt->arm, 0);
	if (r)
		return problem_set(&attempt->error, r, "cannot open the fault: %s", strerror(-r));
	before = split_counter();
	r = fault_arm_now(&attempt->arm);
	if (r)
		return problem_set(&attempt->error, r, "cannot arm: %s", strerror(-r));
	(void)madvise(thp.addr, size, advice);
	fault_disarm(&attempt->arm);
	fault_arm_close(&attempt->arm);
	after = split_counter();
	if (before >= 0)
		attempt->splits += after - before;
	else
		attempt->splits += thp_mapped_huge_kb(&thp) == 0;
	attempt->hits += attempt->arm.hits;
	return thp_destroy(&thp);
}

/*
 * MADV_DONTNEED of a page splits in __split_huge_pmd(). A site that is not on that way may still
 * be on the one of reclaim, whose allocation stands in try_to_unmap_one(): try that as well
 * before saying that nothing is allocated.
 */
static int run_attempt(void *argument)
{
	struct attempt *attempt = argument;
	int r = split_by(attempt, MADV_DONTNEED, THP_PAGE);

	if (!r && !attempt->hits && attempt->swap)
		r = split_by(attempt, MADV_PAGEOUT, THP_SIZE);
	attempt->finished = !r;
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void attempt_split(struct attempt *attempt, const struct fault_spec *spec,
			  struct calibration *calibration)
{
	struct child_spec child = {
		.function = run_attempt,
		.argument = attempt,
		.deadline_ms = DEADLINE_MS,
	};
	static struct child_result result;
	int r;

	fault_arm_init(&attempt->arm, spec, FAULT_NEVER);
	if (fault_arm_refill(&attempt->arm, &calibration->error))
		return;
	r = child_run(&child, &result);
	attempt->error.text[PROBLEM_TEXT_MAX - 1] = '\0';
	calibration->splits = attempt->splits;
	calibration->hits = attempt->hits;
	if (r || !attempt->finished) {
		/* a kernel that dies or hangs here can still inject: let the cases show it */
		(void)problem_set(&calibration->error, 0, "calibration: %s",
				  attempt->error.text[0] ? attempt->error.text
							 : "its process died or hung");
		return;
	}
	calibration->allocates = attempt->hits > 0 || attempt->splits == 0;
}

static void calibrate(const char *site, enum fault_facility facility, bool swap,
		      struct calibration *ret_calibration)
{
	struct fault_spec spec = {
		.facility = facility,
		.within = FAULT_WITHIN_SPLIT,
		.mode = FAULT_MODE_NTH,
	};
	static struct fault_session session;
	struct attempt *attempt;

	memset(ret_calibration, 0, sizeof(*ret_calibration));
	snprintf(ret_calibration->site, sizeof(ret_calibration->site), "%s", site);
	ret_calibration->facility = facility;
	ret_calibration->allocates = true;
	snprintf(spec.site, sizeof(spec.site), "%s", site);
	if (!thp_supported()) {
		(void)problem_set(&ret_calibration->error, 0, "no transparent huge pages");
		return;
	}
	if (fault_session_open(&session, &spec, &ret_calibration->error))
		return;
	ret_calibration->possible = true;
	attempt = mmap(NULL, sizeof(*attempt), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (attempt == MAP_FAILED) {
		(void)problem_set(&ret_calibration->error, 0, "no memory for the calibration");
	} else {
		attempt->swap = swap;
		attempt_split(attempt, &spec, ret_calibration);
		munmap(attempt, sizeof(*attempt));
	}
	fault_session_close(&session);
}

/*
 * A site that a plain split does not pass says nothing about the kernel: another operation may
 * pass it. What every split allocates, if the kernel allocates at all, is a page table.
 */
void calibrate_site(const char *site, enum fault_facility facility, bool swap,
		    struct calibration *ret_calibration)
{
	static struct calibration tables;

	calibrate(site, facility, swap, ret_calibration);
	if (!ret_calibration->possible || ret_calibration->allocates ||
	    (facility == FAULT_FAIL_PAGE_ALLOC && !strcmp(site, PAGE_TABLE_SITE)))
		return;
	calibrate(PAGE_TABLE_SITE, FAULT_FAIL_PAGE_ALLOC, swap, &tables);
	ret_calibration->allocates = tables.possible && tables.allocates;
}

int calibrate_send(const struct calibration *calibration, int port)
{
	static struct record record;

	record_begin(&record, "calibration");
	record_string(&record, "site", calibration->site);
	record_string(&record, "facility", fault_facility_name(calibration->facility));
	record_int(&record, "splits", calibration->splits);
	record_int(&record, "hits", calibration->hits);
	record_bool(&record, "allocates", calibration->allocates);
	if (!calibration->possible)
		record_string(&record, "error", calibration->error.text);
	else if (calibration->error.text[0])
		record_string(&record, "detail", calibration->error.text);
	return record_send(&record, port);
}
