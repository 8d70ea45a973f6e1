/* SPDX-License-Identifier: MIT */
/*
 * split.kswapd: the node of a THP is short of memory, and kswapd swaps the THP out
 *
 * shrink_folio_list() unmaps the folio; try_to_unmap_one() splits the PMD to put swap entries
 * there, with a page table that lazy allocation has to get before it takes the page-table lock.
 * Here it is the thread that makes memory that has to ask for some. Without a page table the folio
 * goes back to the list of active ones, whole and mapped; kswapd tries again, and gives up when it
 * makes no progress. Nobody is told, and the data must be right after it is faulted in again.
 */
#include "check.h"
#include "group.h"
#include "kthread.h"
#include "node.h"
#include "pagemap.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NODE 1
#define THREAD "kswapd1"
#define POLL_MS 5
#define QUIET_MS 250 /* kswapd takes a nap of 100 ms before it goes to sleep */
#define WAIT_MS 5000

/*
 * A kswapd that has failed too often stays asleep, until somebody else makes progress on its node
 * (shrink_node()): here that is the reclaim of a few pages that serve nothing else.
 */
static int revive(void)
{
	char *victim =
		mmap(NULL, THP_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t page;
	int r;

	if (victim == MAP_FAILED || madvise(victim, THP_SIZE, MADV_NOHUGEPAGE))
		return -errno;
	for (page = 0; page < THP_PAGES; page++)
		victim[page * THP_PAGE] = 1;
	r = group_reclaim("1M");
	munmap(victim, THP_SIZE);
	return r;
}

static bool set_up(struct scenario *s, struct thp *thp)
{
	int r = node_bind(NODE);

	if (!r && !group_enter(s))
		return false;
	if (!r) {
		r = revive();
		group_leave(s);
	}
	if (!r && !scenario_fixture(s, thp))
		return false;
	if (!r)
		r = node_bind(-1);
	if (r) {
		scenario_check(s, "harness.fixture", false, "%s", strerror(-r));
		return false;
	}
	/* the memory that fills the node has page tables too */
	return node_press(s, NODE) && scenario_remember(s, thp);
}

/* One page that must come from the node: below the watermark that wakes kswapd, above the last. */
static int wake(char *page)
{
	int r = node_bind(NODE);

	if (r)
		return r;
	*(volatile char *)page = 1;
	return node_bind(-1);
}

/* Returns 0 or -errno: -ETIMEDOUT when kswapd does not come to rest. */
static int wait_for(int thread, const struct thp *thp)
{
	struct pagemap_counts counts = { 0 };
	int waited, quiet = 0;

	for (waited = 0; waited < WAIT_MS && quiet < QUIET_MS; waited += POLL_MS) {
		int r = pagemap_count(thp->addr, THP_SIZE, &counts);

		if (r || counts.swapped == THP_PAGES)
			return r;
		quiet = kthread_is_idle(thread) ? quiet + POLL_MS : 0;
		usleep(POLL_MS * 1000);
	}
	return quiet < QUIET_MS ? -ETIMEDOUT : 0;
}

void scenario_kswapd(struct scenario *s)
{
	struct pagemap_counts counts;
	struct thp thp;
	char *page;
	int r;

	if (!set_up(s, &thp))
		return;
	page = mmap(NULL, THP_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		scenario_check(s, "harness.fixture", false, "mmap: %s", strerror(errno));
		return;
	}
	if (!scenario_arm_thread(s, THREAD))
		return;
	r = wake(page);
	if (!r)
		r = wait_for(s->point->armed_pid, &thp);
	scenario_disarm(s, -r);

	check_errno(s);
	if (!pagemap_count(thp.addr, THP_SIZE, &counts))
		scenario_metric(s, "pages.swapped", (double)counts.swapped, "pages");
	check_unchanged(s, &thp);
	check_writable(s, &thp, 0);
	scenario_finish(s, &thp);
}
