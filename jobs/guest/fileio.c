/* SPDX-License-Identifier: MIT */
#include "fileio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int write_full(int fd, const void *data, size_t length)
{
	const char *next = data;

	while (length) {
		ssize_t n = write(fd, next, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		next += n;
		length -= (size_t)n;
	}
	return 0;
}

ssize_t file_read(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = 0;

	buffer[0] = '\0';
	if (fd < 0)
		return -errno;
	while (used < size - 1) {
		n = read(fd, buffer + used, size - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0) {
		buffer[0] = '\0';
		return n;
	}
	buffer[used] = '\0';
	return (ssize_t)used;
}

ssize_t file_read_line(const char *path, char *buffer, size_t size)
{
	ssize_t n = file_read(path, buffer, size);

	while (n > 0 && buffer[n - 1] == '\n')
		buffer[--n] = '\0';
	return n;
}

int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t length = strlen(text);
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, length);
	if (n < 0)
		r = -errno;
	else if ((size_t)n != length)
		r = -EIO;
	close(fd);
	return r;
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

long file_read_key_kb(const char *path, const char *key)
{
	char text[4096];
	size_t key_length = strlen(key);
	char *line, *rest;

	if (file_read(path, text, sizeof(text)) < 0)
		return -1;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (!strncmp(line, key, key_length) && line[key_length] == ':')
			return strtol(line + key_length + 1, NULL, 10);
	}
	return -1;
}
