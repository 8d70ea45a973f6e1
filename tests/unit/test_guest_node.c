/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node.h"

/* Orders 0 to 10, as Linux 6.12 prints them. */
static const char two_nodes[] =
	"Node 0, zone    DMA32      3      6      4      8      5      2      4      5      3      3     53 \n"
	"Node 1, zone    DMA32    243      5      9      7      3      1      2      1      1      0      0 \n";

static void test_huge_blocks(void **state)
{
	(void)state;
	assert_true(node_has_huge(two_nodes, 0));
	assert_false(node_has_huge(two_nodes, 1));
	/* order 9 alone, order 10 alone, and in the second of two zones */
	assert_true(node_has_huge("Node 1, zone   Normal 0 0 0 0 0 0 0 0 0 1 0 \n", 1));
	assert_true(node_has_huge("Node 1, zone   Normal 0 0 0 0 0 0 0 0 0 0 1 \n", 1));
	assert_true(node_has_huge("Node 1, zone DMA32 9 9 9 9 9 9 9 9 9 0 0 \n"
				  "Node 1, zone Normal 0 0 0 0 0 0 0 0 0 2 0 \n",
				  1));
	assert_false(node_has_huge("Node 1, zone DMA32 9 9 9 9 9 9 9 9 9 0 0 \n", 1));
}

/* What is another node's, or no node's, says nothing; nor does a line that is cut. */
static void test_other_text(void **state)
{
	(void)state;
	assert_false(node_has_huge("", 0));
	assert_false(node_has_huge("Node 10, zone Normal 0 0 0 0 0 0 0 0 0 1 0 \n", 1));
	assert_false(node_has_huge("Node 1, zone", 1));
	assert_false(node_has_huge("Node 1, zone Normal 0 0 0", 1));
	assert_false(node_has_huge("Page block order: 9\nNode 1\n", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_huge_blocks),
		cmocka_unit_test(test_other_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
