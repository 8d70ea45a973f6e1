/* SPDX-License-Identifier: MIT */
/*
 * split.hwpoison: madvise(p + 8K, 4K, MADV_HWPOISON)
 *
 * memory_failure() splits the folio, to take away the broken page and save the other 511;
 * unmap_folio() takes the mapping away with a frozen split in try_to_migrate_one(). The kernel
 * raises SIGBUS for the page in any case, because the error is one that has to be acted upon. When
 * the split cannot be done it can do no more than that: the call fails with EHWPOISON, and the
 * page stays mapped with the THP (the failure is simulated, so its data can still be compared).
 * After a success every access to the page raises SIGBUS, and all other bytes are intact.
 */
#include "check.h"
#include "pattern.h"
#include "probe.h"
#include "uapi.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 2

static void *volatile bus_address;

static void on_bus(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	bus_address = info->si_addr;
}

static void check_poisoned(struct scenario *s, const struct thp *thp)
{
	char *page = thp_page(thp, PAGE);
	int reading = probe_read(page), writing = probe_write(page, 0);

	scenario_check(s, "invariant.poisoned", reading == SIGBUS && writing == SIGBUS,
		       "reading raised signal %d, writing %d", reading, writing);
	check_rest(s, thp, PAGE, 1);
}

void scenario_hwpoison(struct scenario *s)
{
	struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO }, old;
	struct thp thp;
	char *page;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	page = thp_page(&thp, PAGE);
	sigaction(SIGBUS, &action, &old);
	scenario_arm(s);
	r = madvise(page, THP_PAGE, UAPI_MADV_HWPOISON);
	scenario_disarm(s, r ? errno : 0);
	sigaction(SIGBUS, &old, NULL);

	scenario_check(s, "invariant.signal", bus_address == page, "SIGBUS came for %p, not %p",
		       bus_address, (void *)page);
	if (check_errno(s))
		check_poisoned(s, &thp);
	else
		check_unchanged(s, &thp);
	check_neighbours_writable(s, &thp, PAGE);
	scenario_finish(s, &thp);
}
