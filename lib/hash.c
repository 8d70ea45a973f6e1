/* SPDX-License-Identifier: MIT */
#include "lib/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"

_Static_assert(crypto_hash_sha256_BYTES * 2 == HASH_HEX_LEN, "SHA-256 as hex");

static void finish(crypto_hash_sha256_state *st, char ret_hex[HASH_HEX_MAX])
{
	unsigned char sum[crypto_hash_sha256_BYTES];

	crypto_hash_sha256_final(st, sum);
	sodium_bin2hex(ret_hex, HASH_HEX_MAX, sum, sizeof(sum));
}

void hash_bytes(const void *data, size_t len, char ret_hex[HASH_HEX_MAX])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	if (len)
		crypto_hash_sha256_update(&st, data, len);
	finish(&st, ret_hex);
}

int hash_file(const char *path, char ret_hex[HASH_HEX_MAX], struct error *err)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
	CLEANUP(free_p) unsigned char *chunk = NULL;
	const size_t chunk_len = 128 << 10;
	crypto_hash_sha256_state st;

	if (fd < 0)
		return error_errno(err, -errno, "cannot open '%s'", path);
	chunk = xcalloc(1, chunk_len);
	crypto_hash_sha256_init(&st);
	for (;;) {
		ssize_t n = read(fd, chunk, chunk_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, -errno, "cannot read '%s'", path);
		if (n == 0)
			break;
		crypto_hash_sha256_update(&st, chunk, (size_t)n);
	}
	finish(&st, ret_hex);
	return 0;
}

void hash_strings(const char *const *parts, char ret_hex[HASH_HEX_MAX])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	for (; *parts; parts++) {
		uint64_t len = strlen(*parts);
		unsigned char le[8];

		/* Little endian on every host: hashes travel between machines. */
		for (int i = 0; i < 8; i++)
			le[i] = (unsigned char)(len >> (8 * i));
		crypto_hash_sha256_update(&st, le, sizeof(le));
		crypto_hash_sha256_update(&st, (const unsigned char *)*parts, len);
	}
	finish(&st, ret_hex);
}

char *hash_random_hex(size_t n)
{
	CLEANUP(free_p) unsigned char *raw = xcalloc(n, 1);
	char *hex = xcalloc(2 * n + 1, 1);

	/* Safe to call again and from several threads; without it the first use may block. */
	if (sodium_init() < 0)
		abort();
	randombytes_buf(raw, n);
	return sodium_bin2hex(hex, 2 * n + 1, raw, n);
}
