/* SPDX-License-Identifier: MIT */
#include "agent/repro.h"

#include <string.h>

#include "lib/buf.h"

void repro_quote(struct buf *out, const char *s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "_-./,:=+@%";

	if (*s && strspn(s, plain) == strlen(s)) {
		buf_str(out, s);
		return;
	}
	buf_char(out, '\'');
	for (; *s; s++) {
		if (*s == '\'')
			buf_str(out, "'\\''");
		else
			buf_char(out, *s);
	}
	buf_char(out, '\'');
}

char *repro_command(const struct testrun_opts *opts, enum accel accel, const struct result *r)
{
	struct buf b = BUF_INIT;
	struct fault f = r->fault;
	char text[FAULT_TEXT_MAX];

	if (opts->repro_prefix) {
		buf_str(&b, opts->repro_prefix);
	} else {
		buf_str(&b, "faultline run --kernel ");
		repro_quote(&b, opts->kernel);
		if (opts->symbols) {
			buf_str(&b, " --symbols ");
			repro_quote(&b, opts->symbols);
		}
	}
	if (f.mode == FAULT_SWEEP && !r->closing && f.nth > 0)
		f.mode = FAULT_NTH;
	fault_to_text(&f, text);
	buf_str(&b, " --scenario ");
	repro_quote(&b, r->scenario);
	buf_str(&b, " --fault ");
	repro_quote(&b, text);
	buf_printf(&b, " --memory %d --cpus %d --accel %s", opts->machine.memory_mib,
		   opts->machine.cpus, accel_name(accel));
	if (opts->replay)
		buf_str(&b, " --replay");
	else if (r->status == STATUS_FAIL && accel == ACCEL_TCG && f.mode != FAULT_SWEEP)
		buf_str(&b,
			" # add --replay: the same to the instruction, --gdb: stop where it fails");
	return buf_steal(&b);
}
