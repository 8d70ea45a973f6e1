/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "agent/splat.h"
#include "agent/testrun.h"
#include "lib/buf.h"
#include "lib/clean.h"

#define BOOT_TRIES 2

static bool machine_cancelled(void *arg)
{
	return run_is_cancelled(arg);
}

void worker_log_boot(struct worker *w)
{
	struct console_point *boot = &w->machine->console.points[0];
	CLEANUP(free_p) char *head = NULL;

	if (w->boot_logged || w->machine->opts.from)
		return;
	w->boot_logged = true;
	head = xasprintf("machine %d: boot", w->number);
	pthread_mutex_lock(&w->run->lock);
	(void)log_piece(w->run, head, &boot->text, boot->dropped);
	pthread_mutex_unlock(&w->run->lock);
}

void worker_note_ready(struct worker *w)
{
	struct testrun *run = w->run;

	pthread_mutex_lock(&run->lock);
	samples_add(&run->boot_us, w->machine->boot_us);
	run->boots_ok++;
	if (!run->release)
		run->release = xstrdup(w->machine->release);
	pthread_mutex_unlock(&run->lock);
}

/* What a failed boot says about the kernel, or about this host. */
struct boot_failure {
	enum reason reason;
	char *detail;
	struct splat splat;
	int64_t log_offset, log_len;
};

static void boot_failure_free(struct boot_failure *f)
{
	free(f->detail);
	splat_free(&f->splat);
}

/* The first line of what QEMU said, for people. Owned. */
static char *qemu_words(const struct machine *m)
{
	const char *s = buf_cstr(&m->qemu_says);
	size_t n = strcspn(s, "\n");

	return str_printable(s, n < 200 ? n : 200);
}

static void boot_judge(const struct machine *m, enum machine_end end, struct boot_failure *f)
{
	const struct buf *text = &m->console.points[0].text;
	CLEANUP(free_p) char *words = qemu_words(m);
	struct stack *stacks = NULL;
	size_t n_stacks = 0;

	splat_read_log(buf_cstr(text), text->len, &f->splat, &stacks, &n_stacks);
	stacks_free(stacks, n_stacks);
	if (f->splat.kind != SPLAT_NONE) {
		f->reason = splat_kind_reason(f->splat.kind);
		f->detail = xasprintf("the kernel does not boot: %s", f->splat.title);
	} else if (end == MACHINE_QEMU_DIED) {
		f->reason = REASON_QEMU;
		f->detail = xasprintf("QEMU ended by itself: %s", *words ? words : "no word");
	} else if (end == MACHINE_GARBAGE) {
		f->reason = REASON_HARNESS;
		f->detail =
			xasprintf("the guest's first words broke the protocol: %s", m->broken_by);
	} else {
		f->reason = REASON_BOOT_HOST;
		f->detail = xasprintf("the machine did not boot: %s%s", machine_end_text(end),
				      text->len ? "" : " without one byte on its console");
	}
}

/* Gives the failure to the batch, or to every case that waits when no machine has ever booted:
 * the others would meet the same. */
static void boot_give_up(struct worker *w, const struct boot_failure *f)
{
	struct testrun *run = w->run;

	pthread_mutex_lock(&run->lock);
	for (size_t i = 0; i < run->n_cases && run->boots_ok == 0; i++) {
		if (!run->waiting[i])
			continue;
		run->waiting[i] = false;
		run->n_waiting--;
		case_verdict(run, &run->cases[i], f->reason, f->detail, &f->splat, f->log_offset,
			     f->log_len);
	}
	for (size_t i = 0; i < w->n_batch; i++)
		if (!w->batch[i]->done)
			case_verdict(run, w->batch[i], f->reason, f->detail, &f->splat,
				     f->log_offset, f->log_len);
	pthread_mutex_unlock(&run->lock);
}

static void boot_progress(struct worker *w)
{
	struct testrun *run = w->run;
	const struct engine_watch *watch = run->opts->watch;
	char what[32];

	snprintf(what, sizeof(what), "machine %d", w->number);
	pthread_mutex_lock(&run->lock);
	/* Later ones are part of the cases. */
	if (watch && watch->progress && !run->boots_ok)
		watch->progress(watch->arg, PHASE_BOOT, (int)run->n_done, (int)run->n_cases, what);
	pthread_mutex_unlock(&run->lock);
}

/* A debugger may take any time. */
#define NO_DEADLINE_MS (INT_MAX / 4)
/* Machines that count instructions are slower by less than that. */
#define REPLAY_SLOWER 10

struct machine_opts worker_machine_opts(const struct worker *w)
{
	const struct testrun_opts *o = w->run->opts;
	struct machine_opts mo = {
		.qemu = { .kernel = o->kernel,
			  .initramfs = w->run->initramfs,
			  .cpus = o->machine.cpus,
			  .memory_mib = o->machine.memory_mib,
			  .accel = w->run->accel,
			  .deterministic = o->replay },
		.gdb_fd = o->gdb_fd,
		.boot_timeout_ms = o->boot_timeout_ms ? o->boot_timeout_ms : 60000,
		.grace_ms = o->grace_ms ? o->grace_ms : 10000,
		.cancelled = machine_cancelled,
		.arg = w->run,
	};

	if (o->gdb_fd) {
		mo.boot_timeout_ms = mo.grace_ms = NO_DEADLINE_MS;
	} else if (o->replay) {
		mo.boot_timeout_ms *= REPLAY_SLOWER;
		mo.grace_ms *= REPLAY_SLOWER;
	}
	return mo;
}

/* One try. MACHINE_ALIVE: w->machine is ready. Else *f says why not. */
static enum machine_end boot_try(struct worker *w, bool snapshotable, struct boot_failure *f)
{
	struct machine_opts mo = worker_machine_opts(w);
	struct error err = ERROR_INIT;
	enum machine_end end;
	CLEANUP(free_p) char *head = NULL;

	mo.snapshotable = snapshotable;
	boot_progress(w);
	w->boot_logged = false;
	if (machine_start(&mo, &w->machine, &err) < 0) {
		f->reason = REASON_QEMU;
		f->detail = xstrdup(err.msg);
		return MACHINE_QEMU_DIED;
	}
	end = machine_boot(w->machine);
	if (end == MACHINE_ALIVE) {
		worker_note_ready(w);
		return end;
	}
	boot_judge(w->machine, end, f);
	f->log_len = (int64_t)w->machine->console.points[0].text.len;
	head = xasprintf("machine %d: boot", w->number);
	pthread_mutex_lock(&w->run->lock);
	f->log_offset = log_piece(w->run, head, &w->machine->console.points[0].text,
				  w->machine->console.points[0].dropped);
	pthread_mutex_unlock(&w->run->lock);
	machine_free(w->machine);
	w->machine = NULL;
	return end;
}

bool worker_boot(struct worker *w, bool snapshotable)
{
	struct boot_failure f = { .log_offset = -1 };

	for (int i = 0; i < BOOT_TRIES; i++) {
		enum machine_end end;

		boot_failure_free(&f);
		f = (struct boot_failure){ .log_offset = -1 };
		if (!queue_spend_machine(w, &w->run->boots)) {
			f.reason = REASON_HARNESS;
			f.detail = xstrdup("this run has used up its machines");
			break;
		}
		end = boot_try(w, snapshotable, &f);
		if (end == MACHINE_ALIVE)
			return true;
		if (run_is_cancelled(w->run)) {
			boot_failure_free(&f);
			return false;
		}
	}
	boot_give_up(w, &f);
	boot_failure_free(&f);
	return false;
}
