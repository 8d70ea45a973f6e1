/* SPDX-License-Identifier: MIT */
/*
 * Huge pages of every size: /sys/kernel/mm/transparent_hugepage/hugepages-<size>kB
 * (Documentation/admin-guide/mm/transhuge.rst), their switches and what they count.
 */
#ifndef FAULTLINE_GUEST_MTHP_H
#define FAULTLINE_GUEST_MTHP_H

#include "scenario.h"

/* Is there this size on this kernel? */
bool mthp_supported(unsigned int size_kb);

/*
 * For the rest of the point MADV_HUGEPAGE gives folios of this size and of no other. Returns false
 * as scenario_setting() does.
 */
bool mthp_only(struct scenario *s, unsigned int size_kb);

/* A counter below stats/ ("split_deferred"), or -1 when the kernel has none of that name. */
long mthp_stat(unsigned int size_kb, const char *name);

#endif
