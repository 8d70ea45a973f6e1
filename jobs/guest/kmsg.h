/* SPDX-License-Identifier: MIT */
/* The marks in the kernel log by which the host cuts the console into points. */
#ifndef FAULTLINE_GUEST_KMSG_H
#define FAULTLINE_GUEST_KMSG_H

#include <stdint.h>

/* Opens /dev/kmsg once; children inherit it. Returns 0 or -errno. */
int kmsg_open(void);

/* "faultline: WHAT id=ID nth=NTH", through the console before this returns. */
void kmsg_mark(const char *what, uint32_t id, uint32_t nth);

#endif
