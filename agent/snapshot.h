/* SPDX-License-Identifier: MIT */
/*
 * snapshot: a machine that waits for its first request, kept, so that any number of machines can
 * start there: each of them as fresh as the next, in a fraction of the time of a boot.
 *
 * The memory is an anonymous file that the first machine shared with us (QEMU's x-ignore-shared
 * leaves it out of the migration stream) and that the restored ones map copy-on-write; once the
 * first machine is gone the file is sealed, so that no machine can change what the others see.
 * Nothing has a name in a file system, and all of it goes with this process.
 * Thread: immutable after snapshot_take(); any number of threads may restore from it.
 */
#ifndef FAULTLINE_AGENT_SNAPSHOT_H
#define FAULTLINE_AGENT_SNAPSHOT_H

#include "agent/machine.h"

struct snapshot {
	int ram_fd, state_fd; /* sealed anonymous files: memory, devices */
	int64_t took_us;
	char *release; /* as of its ready record */
};

/* Takes it of a machine that was started with opts.snapshotable and waits for a request. Whatever
 * happens the machine has ended afterwards. *ret owned: snapshot_free(). -ECANCELED; anything
 * else: no snapshots can be had here, in QEMU's words. */
must_check int snapshot_take(struct machine *m, struct snapshot **ret, struct error *err);
/* NULL is allowed. */
void snapshot_free(struct snapshot *s);

/* An anonymous file of this size for the memory of a machine. *ret_fd owned. */
must_check int snapshot_memory(int64_t size_bytes, int *ret_fd, struct error *err);
/* The devices' state, to be read from its start by one machine. *ret_fd owned. */
must_check int snapshot_open_state(const struct snapshot *s, int *ret_fd, struct error *err);
/* What is said to the monitor of a QEMU that waits for a migration, to restore from descriptor
 * `state_fd` of that QEMU. Appends. */
void snapshot_restore_words(int state_fd, struct buf *out);

#endif
