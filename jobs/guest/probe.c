/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static sigjmp_buf back;

static void on_signal(int number)
{
	siglongjmp(back, number);
}

int probe_call(void (*function)(void *), void *argument)
{
	struct sigaction action = { .sa_handler = on_signal }, old_segv, old_bus;
	int number;

	sigemptyset(&action.sa_mask);
	sigaction(SIGSEGV, &action, &old_segv);
	sigaction(SIGBUS, &action, &old_bus);
	number = sigsetjmp(back, 1);
	if (!number)
		function(argument);
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGBUS, &old_bus, NULL);
	return number;
}

static void do_read(void *argument)
{
	(void)*(const volatile unsigned char *)argument;
}

int probe_read(const void *address)
{
	/* probe_call() passes the argument through as it is */
	return probe_call(do_read, (void *)(unsigned long)address);
}

struct write_argument {
	volatile unsigned char *address;
	unsigned char value;
};

static void do_write(void *argument)
{
	const struct write_argument *write = argument;

	*write->address = write->value;
}

int probe_write(void *address, unsigned char value)
{
	struct write_argument argument = { address, value };

	return probe_call(do_write, &argument);
}
