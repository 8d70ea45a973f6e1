/* SPDX-License-Identifier: MIT */
/*
 * Touching memory that may not be there: a SIGSEGV or SIGBUS becomes a return value.
 * One thread at a time (the scenario processes have one).
 */
#ifndef FAULTLINE_GUEST_PROBE_H
#define FAULTLINE_GUEST_PROBE_H

/* Each returns 0, or the number of the signal that the access raised. */
int probe_read(const void *address);
int probe_write(void *address, unsigned char value);
int probe_call(void (*function)(void *), void *argument);

#endif
