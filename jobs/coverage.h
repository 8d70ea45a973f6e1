/* SPDX-License-Identifier: MIT */
/*
 * coverage: which of the places that can fail were made to fail.
 *
 * A place is an injection site and the chain of its callers: the same allocation is another place
 * when another operation comes to it. The known ones are the catalogue's, `path` of each scenario
 * that splits; those that were reached are told by the stacks of the injections on target.
 *
 * What the compiler inlines is on no stack and differs by configuration. A known chain therefore
 * counts as reached when its functions are on the stack in this order, with any others between
 * them; a function that the kernel's symbol table does not have is not looked for.
 *
 * Ownership: struct coverage owns all it points to; coverage_free(). Thread: one owner at a time.
 */
#ifndef FAULTLINE_JOBS_COVERAGE_H
#define FAULTLINE_JOBS_COVERAGE_H

#include "jobs/result.h"

#define COVERAGE_SITE "pte_alloc_one" /* where the catalogue's paths end */
#define COVERAGE_PATH_MAX 16 /* functions of one path in the catalogue, with the site */
#define COVERAGE_NEW_MAX 512 /* chains that the catalogue does not know; more are only counted */

enum coverage_state {
	COVERAGE_REACHED, /* an injection on target was here */
	COVERAGE_MISSED, /* its scenarios ran with a fault, and none was here */
	COVERAGE_SKIPPED, /* none of its scenarios applies to this kernel */
	COVERAGE_NOT_RUN /* nothing tried to come here */
};

struct coverage_chain {
	char **frames; /* innermost first, the site itself before its callers; never empty */
	size_t n;
	char **lacks; /* known: those of its functions that the symbol table does not have */
	size_t n_lacks;
	char **scenarios; /* known: the catalogue's; else those that were seen here */
	size_t n_scenarios;
	int64_t injections; /* on target */
	bool known;
	bool ran, skipped; /* some scenario of it did with a fault */
	enum reason skip; /* why, when it was skipped */
};

struct coverage {
	struct coverage_chain *chains; /* the known in the catalogue's order, then the others */
	size_t n, cap;
	size_t n_known;
	int64_t dropped; /* injections into chains beyond COVERAGE_NEW_MAX */
};

/* The known chains, nothing reached. `lacks`: functions that the kernel's symbol table does not
 * have, as coverage_functions() names them; borrowed, may be NULL with n_lacks 0 (not known). */
void coverage_init(struct coverage *c, char *const *lacks, size_t n_lacks);
void coverage_free(struct coverage *c);

/* stack->count injections on target into this stack, during a case of `scenario`. */
void coverage_add(struct coverage *c, const char *scenario, const struct stack *stack);
/* A case of `scenario` ran with a fault; REASON_NONE, or why it was skipped. */
void coverage_ran(struct coverage *c, const char *scenario, enum reason skip);
/* Both, for a result: its stacks on target, and how it ended. */
void coverage_add_result(struct coverage *c, const struct result *r);

/* Adds to `into` what another kernel, or another configuration of one, reached. */
void coverage_merge(struct coverage *into, const struct coverage *from);
/* The chain of the same frames, or NULL. */
const struct coverage_chain *coverage_find(const struct coverage *c,
					   const struct coverage_chain *chain);

enum coverage_state coverage_state(const struct coverage_chain *chain);
const char *coverage_state_name(enum coverage_state s);
/* Known chains in this state. */
size_t coverage_count(const struct coverage *c, enum coverage_state s);

/* {"known":33,"reached":31,"missed":1,"skipped":1,"not_run":0,"new":0,"dropped":0,"chains":[
 *   {"site","chain":[…],"known","covered","state","reason","scenarios":[…],"injections","lacks":[…]}]}
 * with `reason` "" unless the state is "skipped". */
struct json_object *coverage_to_json(const struct coverage *c);
/* The same without "chains", into an object; and one of the chains. */
void coverage_counts_to_json(const struct coverage *c, struct json_object *into);
struct json_object *coverage_chain_to_json(const struct coverage_chain *chain);

/* Of a whole document, with what its kernel lacks. Initialises *ret. */
void coverage_of_doc(const struct result_doc *d, struct coverage *ret);

/* Every function that occurs in a path of the catalogue, once each; *ret is owned, its strings too.
 * Returns how many. */
size_t coverage_functions(char ***ret);

/* The frames of `from` as coverage compares them: compiler clones folded, without what every system
 * call and every thread has below it. `ret->n` may be 0. Owned: stack_clear(). */
void coverage_fold(const struct stack *from, struct stack *ret);

#endif
