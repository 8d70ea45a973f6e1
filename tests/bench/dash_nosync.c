/* SPDX-License-Identifier: MIT */
#include "tests/bench/dash_nosync.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

#define KINDS 8 /* of files: with this or that way of locking */

static sqlite3_vfs usual, ours;
static struct {
	const sqlite3_io_methods *usual;
	sqlite3_io_methods ours;
} kinds[KINDS];

static int no_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return SQLITE_OK;
}

static void replace_sync(sqlite3_file *file)
{
	int i = 0;

	while (i < KINDS && kinds[i].usual && kinds[i].usual != file->pMethods)
		i++;
	if (i == KINDS)
		return;
	if (!kinds[i].usual) {
		kinds[i].usual = file->pMethods;
		kinds[i].ours = *file->pMethods;
		kinds[i].ours.xSync = no_sync;
	}
	file->pMethods = &kinds[i].ours;
}

/* Writer and readers open their files in threads of their own. */
static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	int r = usual.xOpen(vfs, name, file, flags, ret);

	pthread_mutex_lock(&lock);
	if (r == SQLITE_OK && file->pMethods)
		replace_sync(file);
	pthread_mutex_unlock(&lock);
	return r;
}

void dash_nosync(void)
{
	sqlite3_vfs *vfs;

	if (sqlite3_initialize() != SQLITE_OK || !(vfs = sqlite3_vfs_find(NULL)))
		abort();
	usual = ours = *vfs;
	ours.zName = "nosync";
	ours.xOpen = open_file;
	if (sqlite3_vfs_register(&ours, 1) != SQLITE_OK)
		abort();
}
