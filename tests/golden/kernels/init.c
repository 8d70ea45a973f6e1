/* SPDX-License-Identifier: MIT */
/*
 * Process 1 of the corpus kernels: what is only reported after booting, it asks for; then it ends
 * the machine, or, with "corpus_exit" on the kernel's command line, itself.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <unistd.h>

#define LEAKS "/sys/kernel/debug/kmemleak"

/* A leak is reported when two scans found nothing that points to it. */
static void find_leaks(void)
{
	int fd = open(LEAKS, O_RDWR);

	if (fd < 0)
		return;
	for (int i = 0; i < 2; i++) {
		sleep(6);
		if (write(fd, "scan", 4) < 0)
			break;
	}
	close(fd);
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	find_leaks();
	/* The kernel hands a parameter that it does not know to init. */
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "corpus_exit") == 0)
			return 7;
	reboot(RB_AUTOBOOT);
	return 0;
}
