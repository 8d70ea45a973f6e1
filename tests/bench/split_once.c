/* SPDX-License-Identifier: MIT */
/*
 * split_once: the command that failcmd.sh runs for the bench: one mprotect of one page of a THP,
 * which splits it. What somebody writes to look at one failing allocation by hand: static, no
 * checks but the obvious ones. Exit 0: it worked; 1: it failed with ENOMEM and nothing changed;
 * 2: something else. As process 1 it starts the loop instead: the kernel needs an ELF program there.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define THP ((size_t)2 << 20)
#define PAGE ((size_t)4096)

static int is_intact(const unsigned char *p)
{
	for (size_t i = 0; i < THP; i += PAGE)
		if (p[i] != (unsigned char)(i / PAGE + 1))
			return 0;
	return 1;
}

int main(void)
{
	unsigned char *area =
		mmap(NULL, 2 * THP, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char *p;
	int r, error;

	if (getpid() == 1)
		return execl("/bin/bash", "bash", "/loop.sh", (char *)NULL);
	if (area == MAP_FAILED)
		return 2;
	p = (unsigned char *)(((uintptr_t)area + THP - 1) & ~(uintptr_t)(THP - 1));
	if (madvise(p, THP, MADV_HUGEPAGE))
		return 2;
	for (size_t i = 0; i < THP; i += PAGE)
		p[i] = (unsigned char)(i / PAGE + 1);
	r = mprotect(p + 2 * PAGE, PAGE, PROT_READ);
	error = errno;
	if (!is_intact(p) || munmap(area, 2 * THP))
		return 2;
	if (r)
		return error == ENOMEM ? 1 : 2;
	return 0;
}
