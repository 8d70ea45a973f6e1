/* SPDX-License-Identifier: MIT */
/* The result channel: the virtio serial port with a name of our own. Owner: init. */
#ifndef FAULTLINE_GUEST_PORT_H
#define FAULTLINE_GUEST_PORT_H

#include "request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PORT_NAME "faultline.0"

/* Finds and opens it, waiting until it is there. Returns the descriptor or -errno. */
int port_open(uint32_t timeout_ms);

struct port_reader {
	int fd;
	bool file; /* a request that came with the machine: its end is the end */
	size_t used;
	char buffer[REQUEST_LINE_MAX + 1];
};

/*
 * The next line, without its line break, into `ret_line` (REQUEST_LINE_MAX + 1 bytes).
 * Returns 1, 0 when the host has gone for good, or -errno; -EMSGSIZE for a line that is too long.
 */
int port_read_line(struct port_reader *reader, char *ret_line) __attribute__((warn_unused_result));

#endif
