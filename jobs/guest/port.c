/* SPDX-License-Identifier: MIT */
#include "port.h"

#include "clock.h"
#include "fileio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define PORTS_DIR "/sys/class/virtio-ports"
/* The name of a port arrives after its device node: look again this soon. */
#define RESCAN_MS 2
/*
 * A machine that is restored from a snapshot sees its host gone until the host has connected to
 * the new QEMU; only after this long is it really gone.
 */
#define RECONNECT_MS 2000
#define RECONNECT_STEP_MS 5

static bool find_port(char *path, size_t size)
{
	DIR *dir = opendir(PORTS_DIR);
	struct dirent *entry;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir)) != NULL) {
		char attribute[300], name[64];

		snprintf(attribute, sizeof(attribute), PORTS_DIR "/%s/name", entry->d_name);
		if (entry->d_name[0] == '.' || file_read_line(attribute, name, sizeof(name)) < 0)
			continue;
		found = !strcmp(name, PORT_NAME);
		if (found)
			snprintf(path, size, "/dev/%s", entry->d_name);
	}
	closedir(dir);
	return found;
}

int port_open(uint32_t timeout_ms)
{
	int64_t deadline_ns = clock_now_ns() + timeout_ms * INT64_C(1000000);
	char path[300], events[4096];
	struct pollfd poll_fd = { .events = POLLIN };
	int fd = -ENODEV;

	poll_fd.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (poll_fd.fd >= 0)
		(void)inotify_add_watch(poll_fd.fd, "/dev", IN_CREATE);
	while (clock_now_ns() < deadline_ns) {
		if (find_port(path, sizeof(path))) {
			fd = open(path, O_RDWR | O_CLOEXEC);
			fd = fd < 0 ? -errno : fd;
			if (fd != -ENOENT)
				break;
		}
		if (poll(&poll_fd, 1, RESCAN_MS) > 0)
			(void)!read(poll_fd.fd, events, sizeof(events));
	}
	if (poll_fd.fd >= 0)
		close(poll_fd.fd);
	return fd;
}

/* port_fops_poll() says POLLHUP while nobody is connected (drivers/char/virtio_console.c). */
static bool wait_reconnected(int fd)
{
	int64_t deadline_ns = clock_now_ns() + RECONNECT_MS * INT64_C(1000000);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	do {
		poll_fd.revents = 0;
		if (poll(&poll_fd, 1, 0) >= 0 && !(poll_fd.revents & POLLHUP))
			return true;
		poll(NULL, 0, RECONNECT_STEP_MS);
	} while (clock_now_ns() < deadline_ns);
	return false;
}

static int fill(struct port_reader *reader)
{
	ssize_t n;

	if (reader->used == sizeof(reader->buffer))
		return -EMSGSIZE;
	for (;;) {
		n = read(reader->fd, reader->buffer + reader->used,
			 sizeof(reader->buffer) - reader->used);
		if (n > 0)
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0 && (reader->file || !wait_reconnected(reader->fd)))
			return 0;
	}
	reader->used += (size_t)n;
	return 1;
}

int port_read_line(struct port_reader *reader, char *ret_line)
{
	for (;;) {
		char *end = memchr(reader->buffer, '\n', reader->used);
		size_t length;
		int r;

		if (end) {
			length = (size_t)(end - reader->buffer);
			memcpy(ret_line, reader->buffer, length);
			ret_line[length] = '\0';
			reader->used -= length + 1;
			memmove(reader->buffer, end + 1, reader->used);
			return 1;
		}
		r = fill(reader);
		if (r <= 0)
			return r;
	}
}
