/* SPDX-License-Identifier: MIT */
/*
 * replay: runs a fuzzer's entry point over files, so that an ordinary build checks every corpus.
 *
 *   fuzz_X PATH...      files, or folders of files
 *
 * Reports like cmocka, for tests/unit/run.sh. An input that crashes ends the program.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

#define INPUT_MAX_BYTES ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The number of inputs that were run, -1 on an error. */
static int replay_file(const char *path)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(free_p) uint8_t *exact = NULL;
	struct error err = ERROR_INIT;

	if (path_read(path, INPUT_MAX_BYTES, &b, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	printf("%s\n", path);
	fflush(stdout);
	/* Exactly sized and without the buffer's NUL, so that ASan sees a read behind the end. */
	exact = xcalloc(b.len, 1);
	for (size_t i = 0; i < b.len; i++)
		exact[i] = (uint8_t)b.data[i];
	LLVMFuzzerTestOneInput(exact, b.len);
	return 1;
}

static int replay_folder(const char *path)
{
	CLEANUP(closedir_p) DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	if (!d) {
		perror(path);
		return -1;
	}
	while ((e = readdir(d))) {
		CLEANUP(free_p) char *file = NULL;

		if (e->d_name[0] == '.')
			continue;
		file = xasprintf("%s/%s", path, e->d_name);
		if (replay_file(file) < 0)
			return -1;
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		int n = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? replay_folder(argv[i])
								       : replay_file(argv[i]);

		if (n < 0)
			return 1;
		total += n;
	}
	printf("[  PASSED  ] %d test(s).\n", total);
	return total ? 0 : 1;
}
