/* SPDX-License-Identifier: MIT */
#include "lib/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

static _Atomic int threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

void log_event(enum log_level level, const char *event, const char *fmt, ...)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	char when[CLOCK_TEXT_MAX];
	va_list ap;

	if ((int)level < atomic_load(&threshold))
		return;
	buf_printf(&line, "%s %s %s ", clock_text(clock_now_us(), when), names[level], event);
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	/* One event is one line, whatever a value holds. */
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] == '\n' || line.data[i] == '\r')
			line.data[i] = ' ';
	while (line.len && line.data[line.len - 1] == ' ')
		line.len--;
	buf_char(&line, '\n');
	/* There is nowhere to report that the log cannot be written. */
	if (fd_write_all(STDERR_FILENO, line.data, line.len) < 0)
		return;
}

char *log_quote(const char *s)
{
	struct buf b = BUF_INIT;

	if (!s)
		return xstrdup("-");
	buf_char(&b, '"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			buf_printf(&b, "\\%c", c);
		else if (c == '\n')
			buf_str(&b, "\\n");
		else if (c < 0x20 || c == 0x7f)
			buf_printf(&b, "\\x%02x", c);
		else
			buf_char(&b, (char)c);
	}
	buf_char(&b, '"');
	return buf_steal(&b);
}
