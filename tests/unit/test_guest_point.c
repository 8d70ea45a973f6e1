/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "point.h"

static struct point *point; /* shared, like init's */

static int setup(void **state)
{
	(void)state;
	point = mmap(NULL, sizeof(*point), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	return point == MAP_FAILED;
}

static int teardown(void **state)
{
	(void)state;
	return munmap(point, sizeof(*point));
}

/* --- a process that is stopped in the middle of its check ------------------------------------ */

static struct {
	char *page; /* the detail that it reports; reading it faults */
	size_t size;
	int at_it[2], go_on[2]; /* pipes */
} half;

static void on_fault(int number)
{
	char word = 'x';

	(void)number;
	if (write(half.at_it[1], &word, 1) != 1 || read(half.go_on[0], &word, 1) != 1 ||
	    mprotect(half.page, half.size, PROT_READ))
		_exit(EXIT_FAILURE);
}

static void report_with_a_stop(void)
{
	struct scenario s = { .point = point };
	struct sigaction action = { .sa_handler = on_fault };

	sigaction(SIGSEGV, &action, NULL);
	scenario_check(&s, "data.child", false, "%s", half.page);
	_exit(EXIT_SUCCESS);
}

/* A scenario and its child report at the same time: nothing is lost, and nothing torn. */
static void test_two_processes(void **state)
{
	struct scenario s = { .point = point };
	char word = 'x';
	int status;
	pid_t pid;

	(void)state;
	memset(point, 0, sizeof(*point));
	half.size = (size_t)sysconf(_SC_PAGESIZE);
	half.page =
		mmap(NULL, half.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(half.page, MAP_FAILED);
	strcpy(half.page, "the child's words");
	assert_int_equal(mprotect(half.page, half.size, PROT_NONE), 0);
	assert_int_equal(pipe(half.at_it), 0);
	assert_int_equal(pipe(half.go_on), 0);

	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		report_with_a_stop();
	assert_int_equal(read(half.at_it[0], &word, 1), 1);
	scenario_check(&s, "data.parent", false, "the parent's words");
	assert_int_equal(write(half.go_on[1], &word, 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	point_sanitise(point);
	assert_int_equal(point->checks_count, 2);
	assert_string_equal(point->checks[0].name, "data.child");
	assert_string_equal(point->checks[0].detail, "the child's words");
	assert_string_equal(point->checks[1].name, "data.parent");
	assert_string_equal(point->checks[1].detail, "the parent's words");
	munmap(half.page, half.size);
	close(half.at_it[0]);
	close(half.at_it[1]);
	close(half.go_on[0]);
	close(half.go_on[1]);
}

/* --- what became of the checks --------------------------------------------------------------- */

/* A process that died over a check: that one is left out, what others found behind it is not. */
static void test_died(void **state)
{
	struct scenario s = { .point = point };

	(void)state;
	memset(point, 0, sizeof(*point));
	scenario_check(&s, "data.first", true, "-");
	memset(point->checks[1].name, 'x', POINT_NAME_MAX);
	point->checks_count++;
	scenario_check(&s, "data.second", false, "is wrong");
	point_sanitise(point);
	assert_int_equal(point->checks_count, 2);
	assert_string_equal(point->checks[0].name, "data.first");
	assert_true(point->checks[0].ok);
	assert_string_equal(point->checks[1].name, "data.second");
	assert_string_equal(point->checks[1].detail, "is wrong");
	assert_false(point->checks[1].ok);
}

/* What found no place may have been what failed: the point is not to pass. */
static void test_too_many(void **state)
{
	struct scenario s = { .point = point };
	const struct point_check *last = &point->checks[POINT_CHECKS_MAX - 1];
	int i;

	(void)state;
	memset(point, 0, sizeof(*point));
	for (i = 0; i < POINT_CHECKS_MAX; i++)
		scenario_check(&s, "data.same", true, "-");
	point_sanitise(point);
	assert_int_equal(point->checks_count, POINT_CHECKS_MAX);
	assert_true(last->ok);
	scenario_check(&s, "data.more", false, "is wrong");
	point_sanitise(point);
	assert_int_equal(point->checks_count, POINT_CHECKS_MAX);
	assert_string_equal(last->name, "harness.checks");
	assert_false(last->ok);
	assert_string_equal(last->detail, "25 checks, room for 24");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_processes),
		cmocka_unit_test(test_died),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
