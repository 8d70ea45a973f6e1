/* SPDX-License-Identifier: MIT */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_and_check(struct scenario *s, const struct thp *thp, share_check check, int fd)
{
	char word;

	/* without the byte the scenario's process is gone, and nobody reads what is found */
	if (read(fd, &word, 1) != 1)
		_exit(EXIT_FAILURE);
	check(s, thp, word);
	_exit(EXIT_SUCCESS);
}

bool share_begin(struct scenario *s, const struct thp *thp, share_check check,
		 struct share *ret_share)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC)) {
		scenario_check(s, "harness.fork", false, "pipe: %s", strerror(errno));
		return false;
	}
	pid = fork();
	if (pid < 0) {
		scenario_check(s, "harness.fork", false, "%s", strerror(errno));
		return false;
	}
	if (!pid) {
		close(ends[1]);
		wait_and_check(s, thp, check, ends[0]);
	}
	close(ends[0]);
	*ret_share = (struct share){ pid, ends[1] };
	return true;
}

void share_end(struct scenario *s, struct share *share, char word)
{
	int status = 0;

	if (write(share->release, &word, 1) != 1)
		scenario_check(s, "harness.release", false, "%s", strerror(errno));
	close(share->release);
	while (waitpid(share->pid, &status, 0) < 0 && errno == EINTR)
		;
	scenario_check(s, "invariant.child", status == 0, "the child's wait status is 0x%x",
		       (unsigned int)status);
}
