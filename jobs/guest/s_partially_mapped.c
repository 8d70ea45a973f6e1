/* SPDX-License-Identifier: MIT */
/*
 * flags.partially_mapped: THPs that lose pages while other things happen to them
 *
 * Once a page of a folio is unmapped, deferred_split_folio() marks the folio as partially mapped,
 * a flag that lives in the flags word of its second page beside others (poisoned, exclusive), and
 * queues it for the shrinker. A write to that word that is not atomic, or a flag that does not
 * follow its folio through migration, loses one of them: then the folio is never split and its
 * memory never comes back, the counter drifts, or a poisoned page is handed out again.
 *
 * First without a race: the flag is counted, and the shrinker splits the folio because of it. Then
 * for a bounded time MADV_DONTNEED runs against soft offlining, memory failure, move_pages() and
 * fork() on the same THP. Each of them may fail; afterwards every page holds what it must, every
 * frame that the kernel counts as poisoned has the flag, and no folio is still counted.
 */
#include "check.h"
#include "clock.h"
#include "fileio.h"
#include "mthp.h"
#include "pagemap.h"
#include "pattern.h"
#include "uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE_KB 2048u
#define RACE_NS INT64_C(1500000000)
#define ROUNDS_MAX 24 /* each takes two frames out of the machine for good */
#define SETTLE_TRIES 20
/* What each actor does its work to, in pages of the THP. */
#define DROPPED_FIRST 1 /* every second page from here */
#define DROPPED_END 200
#define OFFLINED 300
#define POISONED 301
#define MOVED 302
#define MOVES 4
#define FORKS 3
#define ACTORS 5

struct race {
	struct thp thp;
	pthread_barrier_t start;
	unsigned int offlined, poisoned, moved, forked;
};

static struct race race;

static void *drop(void *unused)
{
	size_t page;

	pthread_barrier_wait(&race.start);
	for (page = DROPPED_FIRST; page < DROPPED_END; page += 2)
		(void)madvise(thp_page(&race.thp, page), THP_PAGE, MADV_DONTNEED);
	return unused;
}

static void *offline(void *unused)
{
	pthread_barrier_wait(&race.start);
	race.offlined += !madvise(thp_page(&race.thp, OFFLINED), THP_PAGE, UAPI_MADV_SOFT_OFFLINE);
	return unused;
}

/* The kernel sends the caller SIGBUS besides; the handler has nothing to do. */
static void *poison(void *unused)
{
	pthread_barrier_wait(&race.start);
	race.poisoned += !madvise(thp_page(&race.thp, POISONED), THP_PAGE, UAPI_MADV_HWPOISON);
	return unused;
}

static void *move(void *unused)
{
	void *page = thp_page(&race.thp, MOVED);
	int i;

	pthread_barrier_wait(&race.start);
	for (i = 0; i < MOVES; i++) {
		int node = i & 1, status = -1;

		if (!syscall(SYS_move_pages, 0, 1UL, &page, &node, &status, UAPI_MPOL_MF_MOVE))
			race.moved += status == node;
	}
	return unused;
}

static void *share(void *unused)
{
	int i, status;

	pthread_barrier_wait(&race.start);
	for (i = 0; i < FORKS; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		race.forked += pid > 0;
	}
	return unused;
}

/* All but the poisoned page: the kernel took its contents. */
static bool data_right(const struct thp *thp)
{
	size_t page;

	for (page = 0; page < THP_PAGES; page++) {
		bool dropped = page >= DROPPED_FIRST && page < DROPPED_END &&
			       page % 2 == DROPPED_FIRST % 2;
		const char *at = thp_page(thp, page);

		if (page == POISONED)
			continue;
		if (dropped ? pattern_check_zero(at, THP_PAGE) >= 0
			    : pattern_check(at, page, 1, thp->seed) >= 0)
			return false;
	}
	return true;
}

/* Returns -1 when there was no fixture, else whether the data is right. */
static int one_round(uint64_t seed)
{
	static void *(*const actors[ACTORS])(void *) = { drop, offline, poison, move, share };
	pthread_t threads[ACTORS];
	struct problem problem;
	bool right;
	int i;

	if (thp_create(&race.thp, seed, &problem))
		return -1;
	pthread_barrier_init(&race.start, NULL, ACTORS);
	for (i = 0; i < ACTORS; i++)
		if (pthread_create(&threads[i], NULL, actors[i], NULL))
			return -1;
	for (i = 0; i < ACTORS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&race.start);
	right = data_right(&race.thp);
	return thp_destroy(&race.thp) ? -1 : right;
}

static void on_sigbus(int number)
{
	(void)number;
}

/* Frames of the machine that carry the flag, or -1. */
static long poisoned_frames(void)
{
	static uint64_t flags[4096];
	int fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	long found = 0;
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(fd, flags, sizeof(flags))) > 0) {
		size_t i;

		for (i = 0; i < (size_t)n / sizeof(flags[0]); i++)
			found += (flags[i] >> UAPI_KPF_HWPOISON) & 1;
	}
	close(fd);
	return n < 0 ? -1 : found;
}

/* A folio lives on for as long as some per-CPU list holds it; compaction drains those. */
static long settled_partial(long wanted)
{
	long now = mthp_stat(SIZE_KB, "nr_anon_partially_mapped");
	int try;

	for (try = 0; try < SETTLE_TRIES && now != wanted; try++) {
		(void)file_write("/proc/sys/vm/compact_memory", "1");
		usleep(10000);
		now = mthp_stat(SIZE_KB, "nr_anon_partially_mapped");
	}
	return now;
}

static void check_deferred(struct scenario *s)
{
	long partial = mthp_stat(SIZE_KB, "nr_anon_partially_mapped");
	long deferred = mthp_stat(SIZE_KB, "split_deferred");
	struct pagemap_counts counts = { 0 };
	struct thp thp;
	int r;

	if (!scenario_fixture(s, &thp))
		return;
	r = madvise(thp_page(&thp, DROPPED_FIRST), THP_PAGE, MADV_DONTNEED);
	if (partial >= 0)
		scenario_check(s, "counter.partially_mapped",
			       mthp_stat(SIZE_KB, "nr_anon_partially_mapped") == partial + 1,
			       "nr_anon_partially_mapped was %ld, is %ld", partial,
			       mthp_stat(SIZE_KB, "nr_anon_partially_mapped"));
	if (deferred >= 0)
		scenario_check(s, "counter.split_deferred",
			       mthp_stat(SIZE_KB, "split_deferred") == deferred + 1,
			       "split_deferred was %ld, is %ld", deferred,
			       mthp_stat(SIZE_KB, "split_deferred"));
	(void)file_write("/proc/sys/vm/drop_caches", "2");
	scenario_check(s, "invariant.deferred_split",
		       !r && !pagemap_count(thp.addr, THP_SIZE, &counts) && !counts.huge,
		       "the shrinker left a folio of which %zu pages are mapped", counts.huge);
	scenario_check(s, "counter.partially_mapped_split", settled_partial(partial) == partial,
		       "nr_anon_partially_mapped was %ld, is %ld", partial,
		       mthp_stat(SIZE_KB, "nr_anon_partially_mapped"));
	check_rest(s, &thp, DROPPED_FIRST, 1);
	r = thp_destroy(&thp);
	scenario_check(s, "errno.unmap", !r, "munmap: %s", strerror(-r));
}

static void check_race(struct scenario *s)
{
	long partial = mthp_stat(SIZE_KB, "nr_anon_partially_mapped"), flagged, counted;
	int64_t deadline = clock_now_ns() + RACE_NS;
	int rounds, right = 1;

	for (rounds = 0; rounds < ROUNDS_MAX && right > 0 && clock_now_ns() < deadline; rounds++)
		right = one_round(s->seed + (uint64_t)rounds);
	flagged = poisoned_frames();
	counted = file_read_key_kb("/proc/meminfo", "HardwareCorrupted") / (long)(THP_PAGE >> 10);
	scenario_check(s, "harness.round", right >= 0, "no THP or no thread in round %d", rounds);
	scenario_check(s, "data.race", right != 0, "a page is wrong after round %d", rounds);
	scenario_check(s, "invariant.poison", flagged == counted,
		       "%ld frames count as poisoned, %ld have the flag", counted, flagged);
	scenario_check(s, "counter.partially_mapped_race", settled_partial(partial) == partial,
		       "nr_anon_partially_mapped was %ld, is %ld with all unmapped", partial,
		       mthp_stat(SIZE_KB, "nr_anon_partially_mapped"));
	scenario_metric(s, "rounds", rounds, "rounds");
	scenario_metric(s, "soft_offlined", race.offlined, "pages");
	scenario_metric(s, "poisoned", race.poisoned, "pages");
	scenario_metric(s, "moved", race.moved, "folios");
	scenario_metric(s, "forked", race.forked, "forks");
}

void scenario_partially_mapped(struct scenario *s)
{
	const struct sigaction action = { .sa_handler = on_sigbus };

	if (sigaction(SIGBUS, &action, NULL)) {
		scenario_check(s, "harness.sigaction", false, "%s", strerror(errno));
		return;
	}
	scenario_arm(s);
	check_deferred(s);
	check_race(s);
	scenario_disarm(s, 0);
	check_leaks(s);
}
