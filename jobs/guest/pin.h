/* SPDX-License-Identifier: MIT */
/*
 * Long-term pins of user memory, as a driver takes them for DMA (FOLL_PIN | FOLL_LONGTERM,
 * Documentation/core-api/pin_user_pages.rst). A pin ends when its file is closed.
 */
#ifndef FAULTLINE_GUEST_PIN_H
#define FAULTLINE_GUEST_PIN_H

#include <stddef.h>

/*
 * An io_uring instance. io_uring_register() pins fixed buffers for writing. Returns a file
 * descriptor or -errno.
 */
int pin_open_ring(void);

/* Pins the pages of [address, address + size) as the ring's only fixed buffer. 0 or -errno. */
int pin_ring_buffer(int ring, void *address, size_t size) __attribute__((warn_unused_result));

/*
 * The kernel's own test device for pins (CONFIG_GUP_TEST, mm/gup_test.c). Returns a file
 * descriptor or -errno.
 */
int pin_open_test(void);

/* Pins one page for reading, long-term. Returns 0 or -errno. */
int pin_test_page(int fd, void *page) __attribute__((warn_unused_result));

/* Reads the page that is pinned, whatever is mapped now: `page` gets a page. 0 or -errno. */
int pin_test_read(int fd, void *page) __attribute__((warn_unused_result));

#endif
