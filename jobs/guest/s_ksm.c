/* SPDX-License-Identifier: MIT */
/*
 * split.ksm: a page of a THP has the contents of a page elsewhere, and KSM runs
 *
 * ksmd finds the two and merges them; try_to_merge_one_page() splits the folio of the one in the
 * THP first, with a frozen split in try_to_migrate_one(). A folio that cannot be split is passed
 * over, stays whole and mapped, and is found again in the next scan. It is the kernel thread that
 * allocates, so it is armed instead of the calling task. Nobody may see another byte than before,
 * merged or not, and a write to one of the two must not show in the other.
 */
#include "check.h"
#include "fileio.h"
#include "pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KSM_DIR "/sys/kernel/mm/ksm/"
#define PAGE 2
#define SCANS 4 /* one to see a page, one to see that it did not change, one to merge; one more */
#define WAIT_MS 5000
#define POLL_MS 5

static long read_number(const char *path)
{
	char text[32];

	return file_read(path, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

/* ksmd at rest, but set up to need a moment only for all there is. */
static bool set_up(struct scenario *s)
{
	return scenario_setting(s, KSM_DIR "run", "0") &&
	       scenario_setting(s, KSM_DIR "sleep_millisecs", "1") &&
	       scenario_setting(s, KSM_DIR "pages_to_scan", "2048") &&
	       scenario_setting(s, KSM_DIR "use_zero_pages", "0");
}

/* A page of its own with what page PAGE of the THP holds, to be merged with it. */
static char *make_twin(struct scenario *s, const struct thp *thp)
{
	char *twin =
		mmap(NULL, THP_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (twin != MAP_FAILED)
		pattern_fill(twin, PAGE, 1, thp->seed);
	if (twin == MAP_FAILED || madvise(twin, THP_PAGE, MADV_MERGEABLE) ||
	    madvise(thp->addr, THP_SIZE, MADV_MERGEABLE)) {
		scenario_check(s, "harness.fixture", false, "%s", strerror(errno));
		return NULL;
	}
	return twin;
}

/* Returns 0 or -errno: -ETIMEDOUT when ksmd does not get on. */
static int run_scans(void)
{
	long until = read_number(KSM_DIR "full_scans") + SCANS;
	int r = file_write(KSM_DIR "run", "1"), waited;

	for (waited = 0; !r && waited < WAIT_MS; waited += POLL_MS) {
		if (read_number(KSM_DIR "full_scans") >= until)
			return 0;
		usleep(POLL_MS * 1000);
	}
	return r ? r : -ETIMEDOUT;
}

static void check_apart(struct scenario *s, const struct thp *thp, char *twin)
{
	char *page = thp_page(thp, PAGE);

	check_pattern(s, "data.twin", thp, twin, PAGE, 1);
	pattern_fill(page, PAGE + 1, 1, thp->seed);
	check_pattern(s, "data.twin_apart", thp, twin, PAGE, 1);
	pattern_fill(page, PAGE, 1, thp->seed);
	pattern_fill(twin, PAGE + 1, 1, thp->seed);
	check_pattern(s, "data.page_apart", thp, page, PAGE, 1);
}

void scenario_ksm(struct scenario *s)
{
	struct thp thp;
	char *twin;
	int r;

	if (!set_up(s) || !scenario_fixture(s, &thp))
		return;
	twin = make_twin(s, &thp);
	if (!twin || !scenario_remember(s, &thp) || !scenario_arm_thread(s, "ksmd"))
		return;
	r = run_scans();
	scenario_disarm(s, -r);

	check_errno(s);
	scenario_metric(s, "ksm.pages_sharing", (double)read_number(KSM_DIR "pages_sharing"),
			"pages");
	check_unchanged(s, &thp);
	check_apart(s, &thp, twin);
	check_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
