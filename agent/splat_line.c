/* SPDX-License-Identifier: MIT */
/* What a line of the log is, whatever report it belongs to. */
#include <ctype.h>

#include "agent/splat.h"

bool line_is_mark(const struct klog_line *l)
{
	return klog_starts(l, "faultline: ");
}

bool line_is_report_end(const struct klog_line *l)
{
	return klog_find(l, "---[ end trace") || klog_find(l, "---[ end Kernel panic");
}

/* Ten of these and nothing else. */
bool line_is_rule(const struct klog_line *l)
{
	if (l->len < 10)
		return false;
	for (size_t i = 0; i < l->len; i++)
		if (l->text[i] != '=' && l->text[i] != ' ')
			return false;
	return true;
}

/* "RAX: 0000000000000000 RBX: …", "x29: ffff800012345678 …", "sp : …": a name, a colon, hex. */
bool line_is_registers(const struct klog_line *l)
{
	size_t i = 0, name, digits;

	while (i < l->len && (l->text[i] == ' ' || l->text[i] == '\t'))
		i++;
	name = i;
	while (i < l->len && isalnum((unsigned char)l->text[i]))
		i++;
	if (i == name || i - name > 8)
		return false;
	while (i < l->len && (l->text[i] == ' ' || l->text[i] == ':'))
		i++;
	digits = i;
	while (i < l->len && isxdigit((unsigned char)l->text[i]))
		i++;
	return i - digits >= 4;
}

static bool starts_any(const struct klog_line *l, const char *const *words)
{
	for (; *words; words++)
		if (klog_starts(l, *words))
			return true;
	return false;
}

bool line_is_trace_head(const struct klog_line *l)
{
	return klog_find(l, "Call Trace") || klog_find(l, "Call trace") ||
	       klog_find(l, "Backtrace:") || klog_find(l, "backtrace (crc") ||
	       (klog_find(l, "backtrace:") && !klog_find(l, "stack backtrace:"));
}

/* " <TASK>", " </IRQ>", "<EOI>" … */
static bool is_context(const struct klog_line *l)
{
	size_t i = 0;

	while (i < l->len && l->text[i] == ' ')
		i++;
	return l->len - i >= 4 && l->len - i <= 12 && l->text[i] == '<' &&
	       l->text[l->len - 1] == '>';
}

bool line_is_trace(const struct klog_line *l)
{
	static const char *const words[] = {
		"RIP: ",
		"RSP: ",
		"Code: ",
		"CR2: ",
		"ORIG_RAX",
		"EFLAGS",
		"pc : ",
		"lr : ",
		"epc : ",
		"NIP ",
		"LR ",
		"GPR",
		"CFAR",
		"Krnl ",
		"---",
		"Exception: ",
		"Instruction dump:",
		"Last Breaking-Event-Address:",
		"status: ",
		NULL,
	};
	struct klog_frame f;

	return is_context(l) || starts_any(l, words) || line_is_registers(l) ||
	       klog_frame_read(l, &f);
}

bool line_is_tail(const struct klog_line *l)
{
	static const char *const words[] = {
		"Modules linked in:",
		"Kernel Offset:",
		"Dumping ftrace",
		"irq event stamp:",
		"hardirqs last",
		"softirqs last",
		"FIX ",
		"Kernel panic",
		"Object ",
		"Showing all locks",
		"note: ",
		"Disabling lock debugging",
		NULL,
	};

	return l->len == 0 || starts_any(l, words);
}
